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
        let national = number.format().mode(Mode::National).to_string();
        add(international.clone());
        // Within its own country nobody writes the code.
        if number.country().id() == region.to_ascii_uppercase().parse::<country::Id>().ok() {
            add(bare(&national));
            for written in separated(&national) {
                add(written);
            }
        }
        // The zero that is dialled at home only is written in brackets, for those who don't know.
        if let (true, Some((code, rest))) =
            (national.starts_with('0'), international.split_once(' '))
        {
            add(format!("{code} (0){rest}"));
        }
        if let Some((code, rest)) = international.split_once(' ') {
            let abroad = separated(rest).into_iter().map(|rest| format!("{code} {rest}"));
            abroad.for_each(&mut add);
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

/// `020 7946 0123` as people set its groups apart: `(020) 7946-0123`, `020.7946.0123`.
fn separated(written: &str) -> Vec<String> {
    let groups: Vec<&str> = written
        .split([' ', '-'])
        .map(|group| group.trim_matches(['(', ')']))
        .filter(|group| !group.is_empty())
        .collect();
    let mut all = vec![written.to_owned()];
    all.extend([" ", "-", "."].map(|mark| groups.join(mark)));
    if let [first, rest @ ..] = groups.as_slice()
        && !rest.is_empty()
    {
        all.extend(["-", " "].map(|mark| format!("({first}) {}", rest.join(mark))));
    }
    all
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
