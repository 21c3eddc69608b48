//! Values in SOQL and SOSL: inside their quotes whatever they hold.

/// A string of SOQL (`sforce_api_calls_soql_select_quotedstringescapes.htm`).
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for character in text.chars() {
        match character {
            '\'' | '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other.is_control() => (),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

/// A phrase of SOSL (`sforce_api_calls_sosl_find.htm`, reserved characters): every one of them is escaped, also
/// within the quotes of a phrase.
pub fn spoken(text: &str) -> String {
    const RESERVED: &str = "?&|!{}[]()^~*:\\\"'+-";
    let mut out = String::with_capacity(text.len() + 8);
    out.push('"');
    for character in text.chars().filter(|character| !character.is_control()) {
        if RESERVED.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

/// Groups of digits, with spaces between.
pub fn words(number: &str) -> String {
    let words = number.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    words.collect::<Vec<&str>>().join(" ")
}

/// A record's identifier: fifteen or eighteen letters and digits.
pub fn id(text: &str) -> Option<&str> {
    let is_one =
        matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first string of a SOQL text as a reader of it sees it, and what is left.
    fn read(soql: &str) -> (String, &str) {
        let mut value = String::new();
        let mut characters = soql.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\'' => return (value, &soql[at + 1..]),
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, other)) => value.push(other),
                    None => panic!("it ends in an escape: {soql}"),
                },
                other => value.push(other),
            }
        }
        panic!("it doesn't end: {soql}")
    }

    proptest::proptest! {
        #[test]
        fn no_value_leaves_its_quotes(text in "\\PC*|[\\\\'\"{}^&\n ORx=-]*") {
            let soql = quoted(&text);
            let (value, rest) = read(&soql);
            proptest::prop_assert_eq!(value, text);
            proptest::prop_assert_eq!(rest, "");
        }

        #[test]
        fn no_phrase_leaves_its_quotes(text in "\\PC*|[\\\\'\"{}^&ORx*?-]*") {
            let phrase = spoken(&text);
            let inner = &phrase[1..phrase.len() - 1];
            let mut characters = inner.chars();
            while let Some(character) = characters.next() {
                match character {
                    '\\' => proptest::prop_assert!(characters.next().is_some()),
                    '"' | '}' | '{' | '*' | '?' => proptest::prop_assert!(false, "{} is bare", character),
                    _ => (),
                }
            }
        }
    }

    #[test]
    fn identifiers_are_letters_and_digits() {
        assert_eq!(id("0035g00000AbCdEAAV"), Some("0035g00000AbCdEAAV"));
        assert_eq!(id("0035g00000AbCdE"), Some("0035g00000AbCdE"));
        for none in ["", "999999999", "../users", "0035g00000AbCd' OR", "0035g00000AbCdEAA/"] {
            assert_eq!(id(none), None, "{none}");
        }
    }
}
