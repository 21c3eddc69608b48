//! Numbers as people say them, and as a recogniser writes them, brought to the digits of an
//! article: "nine pounds seventy six" → `9.76`, "E two one two" → `e212`, "fifteen seventy one" →
//! `1571`.

use crate::domain::number_of;

/// What one spoken word is worth.
#[derive(Clone, Copy, PartialEq)]
enum Numeral {
    Unit(u64),
    Teen(u64),
    Ten(u64),
    Hundred,
    Thousand,
}

fn numeral(word: &str) -> Option<Numeral> {
    match (number_of(word).map(u64::from), word) {
        (Some(unit @ 0..10), _) => Some(Numeral::Unit(unit)),
        (Some(teen @ 10..20), _) => Some(Numeral::Teen(teen)),
        (Some(ten), _) => Some(Numeral::Ten(ten)),
        (None, "oh" | "nought") => Some(Numeral::Unit(0)),
        (None, "fourty") => Some(Numeral::Ten(40)),
        (None, "hundred") => Some(Numeral::Hundred),
        (None, "thousand") => Some(Numeral::Thousand),
        (None, _) => None,
    }
}

/// Whether the word is a number word or digits: what account numbers and dates are made of.
pub fn is_number(word: &str) -> bool {
    numeral(word).is_some() || word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Replaces spoken numbers in a list of lower-case words. Everything else stays as it is.
pub fn digits(mut words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let (number, next) = number_at(&words, at);
        let Some(number) = number else {
            out.push(std::mem::take(&mut words[at]));
            at += 1;
            continue;
        };
        // A lone "one" or "oh" is hardly ever a number.
        if next == at + 1 && matches!(words[at].as_str(), "one" | "oh") {
            out.push(std::mem::take(&mut words[at]));
            at = next;
            continue;
        }
        at = next;
        if matches!(words.get(at).map(String::as_str), Some("pound" | "pounds"))
            && let (Some(pence), after) = number_at(&words, at + 1)
            && pence.len() == 2
        {
            out.push(format!("{number}.{pence:0>2}"));
            out.push("pound".into());
            at = after;
            continue;
        }
        out.push(number);
    }
    join_codes(out)
}

/// A letter before two digits or more is a code: "e" "212" → `e212` and `212`.
fn join_codes(mut words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let is_letter = words[at].len() == 1
            && words[at].bytes().all(|b| b.is_ascii_lowercase() && b != b'a' && b != b'i');
        let skip = usize::from(words.get(at + 1).is_some_and(|word| word == "dash"));
        let number = words
            .get(at + 1 + skip)
            .filter(|word| word.len() >= 2 && word.bytes().all(|b| b.is_ascii_digit()));
        if let (true, Some(number)) = (is_letter, number) {
            out.push(format!("{}{number}", words[at]));
            out.push(number.clone());
            at += 2 + skip;
        } else {
            out.push(std::mem::take(&mut words[at]));
            at += 1;
        }
    }
    out
}

/// The number that starts at a word, and where it ends. Groups that can't be one number are read
/// one after the other, as telephone and account numbers are.
fn number_at(words: &[String], from: usize) -> (Option<String>, usize) {
    let mut groups: Vec<u64> = Vec::new();
    let mut zeros = String::new();
    let mut text = String::new();
    let mut at = from;
    // What may still join the last group: a unit after a ten, anything smaller after a hundred.
    let mut room = 1;
    // What was said last, as far as a hundred or a thousand may still multiply it.
    let mut part = 0;
    while let Some(word) = words.get(at) {
        if groups.is_empty() && text.is_empty() && matches!(word.as_str(), "to" | "too") {
            let hundred = words.get(at + 1).is_some_and(|next| next == "hundred");
            if !hundred {
                break;
            }
            groups.push(2);
            part = 2;
            room = 1;
            at += 1;
            continue;
        }
        if word == "and" && room >= 100 && words.get(at + 1).is_some_and(|w| numeral(w).is_some()) {
            at += 1;
            continue;
        }
        let Some(numeral) = numeral(word) else { break };
        match numeral {
            Numeral::Hundred | Numeral::Thousand => {
                let factor = if numeral == Numeral::Hundred { 100 } else { 1_000 };
                match groups.last_mut() {
                    // Only what was said last is multiplied: three thousand two hundred.
                    Some(last) if part > 0 && part < factor => *last += part * (factor - 1),
                    Some(_) => break,
                    None => groups.push(factor),
                }
                part = 0;
                room = factor;
            }
            Numeral::Unit(value) | Numeral::Teen(value) | Numeral::Ten(value) => {
                let joins = !groups.is_empty() && value > 0 && value < room;
                if joins {
                    *groups.last_mut().expect("not empty; this is a bug") += value;
                } else {
                    groups.push(value);
                }
                part = value;
                room = if matches!(numeral, Numeral::Ten(_)) { 10 } else { 1 };
            }
        }
        at += 1;
    }
    if groups.is_empty() {
        return (None, from);
    }
    for group in groups {
        text.push_str(&zeros);
        zeros.clear();
        text.push_str(&group.to_string());
    }
    (Some(text), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_they_are_said() {
        let check = |said: &str, expected: &str| {
            let words: Vec<String> = said.split(' ').map(str::to_owned).collect();
            assert_eq!(digits(words).join(" "), expected, "{said}");
        };
        check("forty two pounds two times", "42 pounds 2 times");
        check("nine pounds seventy six a day", "9.76 pound a day");
        check("full fiber too hundred", "full fiber 200");
        check("full fibre five hundred", "full fibre 500");
        check("e two one two", "e212 212");
        check("e dash five two one", "e521 521");
        check("fifteen seventy one", "1571");
        check("four ten", "410");
        check("one hundred and sixty megabits", "160 megabits");
        check("six one four", "614");
        check("that one is too slow", "that one is too slow");
        check("three thousand two hundred", "3200");
        check("thirty pounds forty nine", "30.49 pound");
    }
}
