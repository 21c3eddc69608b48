//! Whether two telephone numbers, or two addresses, are the same.

use phonenumber::{PhoneNumber, country};

/// Before a number, in URIs and as vendors name their channels.
const SCHEMES: [&str; 3] = ["tel", "sms", "whatsapp"];
const PLUSES: [char; 2] = ['+', '\u{FF0B}'];
/// The zero that is dialled at home only, for those who don't know.
const AT_HOME: &str = "(0)";

/// A number in E.164 (ITU-T E.164, `+` and up to 15 digits), if it is a possible one. A number without a country
/// code is one of `region` (ISO 3166-1, `GB`).
pub fn e164(text: &str, region: &str) -> Option<String> {
    let text = without_scheme(text, &SCHEMES).unwrap_or_else(|| text.trim());
    // "00" is how most countries dial abroad; the library knows only the region's own prefix.
    let text = match text.strip_prefix("00") {
        Some(abroad) => format!("+{abroad}"),
        None => text.to_owned(),
    };
    let has_code = text.trim_start_matches(['(', '[']).starts_with(PLUSES);
    let number = match has_code {
        true => abroad(&text)?,
        false => {
            let region: Option<country::Id> = region.to_ascii_uppercase().parse().ok();
            phonenumber::parse(region, text).ok()?
        }
    };
    // Two extensions of one company are two people.
    if number.extension().is_some() {
        return None;
    }
    let written = number.format().mode(phonenumber::Mode::E164).to_string();
    let digits = written.get(1..)?;
    let national = digits.strip_prefix(&number.country().code().to_string())?;
    // Where no number begins so, it is another country's, as it is dialled there.
    if national.starts_with('0') && !number.is_valid() {
        return None;
    }
    // Short codes and cut numbers would match each other's endings.
    (7..=15).contains(&digits.len()).then_some(written)
}

/// A number that bears its country's code. The region isn't told to the library, which would take the region's own
/// prefix off any country's number: of `+49 151 …` the 1 that is dialled in the US.
fn abroad(text: &str) -> Option<PhoneNumber> {
    let number = phonenumber::parse(None, plain(text)).ok();
    // Of a number that it doesn't know, the library can't tell whether the zero belongs to it.
    if text.contains(AT_HOME) && !number.as_ref().is_some_and(PhoneNumber::is_valid) {
        return phonenumber::parse(None, plain(&text.replacen(AT_HOME, "", 1))).ok();
    }
    number
}

/// A `+` and digits, where nothing but what sets digits apart stands between them: the library takes all that stands
/// before the first dash for the country's code.
fn plain(text: &str) -> String {
    let is_part =
        |c: char| c.is_ascii_digit() || PLUSES.contains(&c) || "()[]-. \u{A0}".contains(c);
    match text.chars().all(is_part) {
        true => format!("+{}", text.chars().filter(char::is_ascii_digit).collect::<String>()),
        false => text.to_owned(),
    }
}

/// What stands behind one of these schemes of URIs, which are written in capitals, too.
pub fn without_scheme<'a>(text: &'a str, schemes: &[&str]) -> Option<&'a str> {
    let (scheme, rest) = text.trim().split_once(':')?;
    schemes.iter().any(|one| scheme.eq_ignore_ascii_case(one)).then(|| rest.trim())
}

/// The same of a number that is written with its country code and without the `+`, unless it is one of the region:
/// `447700900111`.
pub fn e164_without_plus(text: &str, region: &str) -> Option<String> {
    let text = text.trim();
    if !text.starts_with(|c: char| ('1'..='9').contains(&c)) {
        return None;
    }
    let of_region: Option<country::Id> = region.to_ascii_uppercase().parse().ok();
    let is_there = phonenumber::parse(of_region, text).is_ok_and(|number| number.is_valid());
    if is_there { None } else { e164(&format!("+{text}"), region) }
}

/// An address for comparison. The part before the `@` may be told apart by case, says RFC 5321, and nobody does.
pub fn email(text: &str) -> Option<String> {
    let text = without_scheme(text, &["mailto"]).unwrap_or_else(|| text.trim());
    let (mailbox, host) = text.rsplit_once('@')?;
    let is_plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace());
    (is_plain(mailbox)
        && is_plain(host)
        && !mailbox.contains('@')
        && !text.contains(['<', '>', ',']))
    .then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for text in [
            "+442079460123",
            "020 7946 0123",
            "0044 20 7946 0123",
            "+44 (0)20 7946-0123",
            "tel:+44-20-7946-0123",
        ] {
            assert_eq!(e164(text, "GB").as_deref(), Some("+442079460123"), "{text}");
        }
        // Wherever it is read.
        for text in [
            "+442079460123",
            "+44 (0)20 7946 0123",
            "+44(0)2079460123",
            "0044 (0)20 7946 0123",
            "(+44) 20 7946 0123",
            "+4420-7946-0123",
            "TEL:+44-20-7946-0123",
            "whatsapp:+442079460123",
        ] {
            for region in ["GB", "US", "DE"] {
                let number = e164(text, region);
                assert_eq!(number.as_deref(), Some("+442079460123"), "{text} in {region}");
            }
        }
        assert_eq!(e164("(555) 123-0001", "US").as_deref(), Some("+15551230001"));
        for none in ["", "anonymous", "7946", "999", "+44 20 7946 0123 ext. 7", "sip:emma"] {
            assert_eq!(e164(none, "GB"), None, "{none}");
        }
    }

    #[test]
    fn no_country_takes_its_prefix_off_the_numbers_of_others() {
        // Two people: a mobile, and a line in Hannover.
        for text in ["+49 151 12345678", "0049 151 12345678"] {
            assert_eq!(e164(text, "US").as_deref(), Some("+4915112345678"), "{text}");
        }
        assert_eq!(e164("+49 511 2345678", "US").as_deref(), Some("+495112345678"));
        // In Italy the zero is dialled from everywhere.
        assert_eq!(e164("+39 02 3661 8300", "GB").as_deref(), Some("+390236618300"));
        // A British number as it is dialled there: none of the US begins with a zero.
        assert_eq!(e164("020 7946 0123", "US"), None);
    }

    #[test]
    fn a_number_may_lack_its_plus_where_it_is_none_of_the_region() {
        for (text, region, expected) in [
            ("442079460123", "US", Some("+442079460123")),
            ("447700900111", "US", Some("+447700900111")),
            ("2127365000", "US", None),
            ("020 7946 0123", "GB", None),
            ("+442079460123", "US", None),
            ("7946", "US", None),
            ("ada", "US", None),
        ] {
            assert_eq!(e164_without_plus(text, region).as_deref(), expected, "{text} in {region}");
        }
    }

    #[test]
    fn addresses_are_the_same_in_capitals() {
        assert_eq!(email(" Ada@Example.TEST ").as_deref(), Some("ada@example.test"));
        for none in [
            "",
            "ada",
            "@example.test",
            "ada@",
            "a b@example.test",
            "a@b@c",
            "Ada <ada@example.test>",
        ] {
            assert_eq!(email(none), None, "{none}");
        }
    }
}
