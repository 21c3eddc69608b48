//! Whether two telephone numbers, or two addresses, are the same.

use phonenumber::country;

/// A number in E.164 (ITU-T E.164, `+` and up to 15 digits), if it is a possible one. A number without a country
/// code is one of `region` (ISO 3166-1, `GB`).
pub fn e164(text: &str, region: &str) -> Option<String> {
    let region: Option<country::Id> = region.to_ascii_uppercase().parse().ok();
    let text = text.trim();
    // "00" is how most countries dial abroad; the library knows only the region's own prefix.
    let text = match text.strip_prefix("00") {
        Some(abroad) => format!("+{abroad}"),
        None => text.strip_prefix("tel:").unwrap_or(text).to_owned(),
    };
    let number = phonenumber::parse(region, text).ok()?;
    // Two extensions of one company are two people.
    if number.extension().is_some() {
        return None;
    }
    let written = number.format().mode(phonenumber::Mode::E164).to_string();
    let digits = written.len().saturating_sub(1);
    // Short codes and cut numbers would match each other's endings.
    (7..=15).contains(&digits).then_some(written)
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
    let text = text.trim().trim_start_matches("mailto:");
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
        assert_eq!(e164("(555) 123-0001", "US").as_deref(), Some("+15551230001"));
        for none in ["", "anonymous", "7946", "999", "+44 20 7946 0123 ext. 7", "sip:emma"] {
            assert_eq!(e164(none, "GB"), None, "{none}");
        }
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
