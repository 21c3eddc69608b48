//! How people write one telephone number: what a CRM is asked for that compares texts and knows nothing of numbers.

use phonenumber::{Mode, country};

/// Spellings of a number in E.164, the likeliest first, each once: with and without the country's code, in groups
/// and without, as the country writes them. What comes back is compared digit by digit by `checked`.
pub fn spellings(e164: &str, region: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !text.is_empty() && !all.contains(&text) {
            all.push(text);
        }
    };
    let digits = e164.trim_start_matches('+');
    add(format!("+{digits}"));
    if let Ok(number) = phonenumber::parse(None, e164) {
        let international = number.format().mode(Mode::International).to_string();
        add(international.clone());
        // Within its own country nobody writes the code.
        if number.country().id() == region.to_ascii_uppercase().parse::<country::Id>().ok() {
            let national = number.format().mode(Mode::National).to_string();
            add(bare(&national));
            add(national.clone());
            add(in_brackets(&national));
            add(national.replace(' ', "-"));
        }
        add(international.replace(' ', "-"));
    }
    add(digits.to_owned());
    add(format!("00{digits}"));
    all
}

/// The digits after the country's code.
pub fn national_digits(e164: &str) -> Option<String> {
    let number = phonenumber::parse(None, e164).ok()?;
    let code = number.country().code().to_string();
    let digits = e164.trim_start_matches('+').strip_prefix(&code)?;
    Some(digits.to_owned())
}

fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// `020 7946 0123` as `(020) 7946-0123`.
fn in_brackets(national: &str) -> String {
    let mut groups = national.split([' ', '-']).filter(|group| !group.is_empty());
    let Some(first) = groups.next() else { return String::new() };
    let rest: Vec<&str> = groups.collect();
    let first = first.trim_matches(['(', ')']);
    if rest.is_empty() { String::new() } else { format!("({first}) {}", rest.join("-")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::crm::same;

    #[test]
    fn every_spelling_is_the_same_number() {
        for (number, region) in
            [("+442079460123", "GB"), ("+15551230001", "US"), ("+33142685300", "FR")]
        {
            let all = spellings(number, region);
            assert!(all.len() >= 5, "{all:?}");
            for text in &all {
                // "442079460123" has neither a plus nor the country's own zero: no reader can be sure.
                let is_bare = *text == number.trim_start_matches('+');
                assert!(is_bare || same::e164(text, region).as_deref() == Some(number), "{text}");
            }
        }
        let british = spellings("+442079460123", "GB");
        for text in
            ["+442079460123", "+44 20 7946 0123", "02079460123", "020 7946 0123", "(020) 7946-0123"]
        {
            assert!(british.iter().any(|one| one == text), "{text} in {british:?}");
        }
    }

    #[test]
    fn abroad_it_bears_its_country() {
        let all = spellings("+33142685300", "GB");
        assert!(all.iter().all(|text| text.contains("33")), "{all:?}");
        assert_eq!(national_digits("+442079460123").as_deref(), Some("2079460123"));
        assert_eq!(national_digits("nobody"), None);
    }
}
