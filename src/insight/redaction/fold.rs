//! Reads what looks like a digit or a letter as one, before anything is looked for: full-width and mathematical ones,
//! those of other scripts, circled and raised ones.
//!
//! Only the reading changes: what isn't masked stays as it was written.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// Noughts of the scripts, which nine further digits follow (Unicode, General_Category Nd). Full-width and
/// mathematical ones are compatibility characters and need no table.
const NOUGHTS: [char; 70] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{10d40}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{116d0}',
    '\u{116da}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11bf0}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{11de0}',
    '\u{11f50}',
    '\u{16130}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{16d70}',
    '\u{1ccf0}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e4f0}',
    '\u{1e5f1}',
    '\u{1e950}',
    '\u{1fbf0}',
];
/// Circled digits that are compatible with nothing, where they begin, with how much the first is.
const CIRCLED: [(Range<u32>, u32); 6] = [
    (0x24f5..0x24fe, 1),
    (0x24ff..0x2500, 0),
    (0x2776..0x277f, 1),
    (0x2780..0x2789, 1),
    (0x278a..0x2793, 1),
    (0x1f10b..0x1f10d, 0),
];

/// Spaces as pages of the web have them. They are read as what may stand within a number and parts no words.
const WRITTEN_SPACES: [&str; 3] = ["&nbsp;", "&#160;", "&#xa0;"];
const SPACE: char = '-';

/// A text as it is read, and where each part of it was written.
pub(super) struct Folded<'a> {
    text: Cow<'a, str>,
    /// Which bytes of the original each byte stands for; empty where they are the same.
    places: Vec<Range<usize>>,
}

impl Folded<'_> {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text.into_owned()
    }

    /// Where this was written in the original.
    pub fn written(&self, range: Range<usize>) -> Range<usize> {
        let (Some(first), Some(last)) =
            (self.places.get(range.start), self.places.get(range.end.saturating_sub(1)))
        else {
            return range;
        };
        first.start..last.end.max(first.start)
    }
}

pub(super) fn folded(text: &str) -> Folded<'_> {
    let has_space =
        text.contains('&') && text.match_indices('&').any(|(at, _)| space(text, at).is_some());
    let is_plain =
        || text.is_ascii() || !text.chars().any(|c| is_invisible(c) || read(c).is_some());
    let is_same = !has_space && is_plain();
    if is_same {
        return Folded { text: Cow::Borrowed(text), places: Vec::new() };
    }
    let mut out = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    let mut characters = text.char_indices();
    while let Some((start, c)) = characters.next() {
        if let Some(space) = space(text, start).filter(|_| c == '&') {
            out.push(SPACE);
            places.push(start..start + space.len());
            // All of it is ASCII.
            characters.nth(space.len() - 2);
            continue;
        }
        // A word of nothing else stays a word, so that words can be counted.
        if is_invisible(c) && out.ends_with(char::is_alphanumeric) {
            continue;
        }
        match read(c) {
            Some(read) => out.push_str(&read),
            None => out.push(c),
        }
        places.resize(out.len(), start..start + c.len_utf8());
    }
    Folded { text: Cow::Owned(out), places }
}

/// The space that is written out at a place.
fn space(text: &str, at: usize) -> Option<&'static str> {
    let is_here = |space: &&str| {
        let here = text.as_bytes().get(at..at + space.len());
        here.is_some_and(|here| here.eq_ignore_ascii_case(space.as_bytes()))
    };
    WRITTEN_SPACES.into_iter().find(is_here)
}

/// What nobody sees between two characters, and the frames of keys ("4\u{fe0f}\u{20e3}").
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}')
}

/// The ASCII that a character is read as, if it is another.
fn read(c: char) -> Option<String> {
    if c.is_ascii() {
        return None;
    }
    // Letters and patterns that show nothing.
    if matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}') {
        return Some(SPACE.to_string());
    }
    if let Some(digit) = digit(c) {
        return Some(digit.to_string());
    }
    if matches!(c, '\u{ff01}'..='\u{ff5e}') {
        return char::from_u32(u32::from(c) - 0xfee0).map(String::from);
    }
    let compatible: String = std::iter::once(c).nfkd().collect();
    let is_one = compatible.len() == 1 && compatible.bytes().all(|b| b.is_ascii_alphanumeric());
    // "(3)" and "20" are written as one character too.
    let has_digit = compatible.is_ascii() && compatible.bytes().any(|b| b.is_ascii_digit());
    if has_digit {
        return Some(compatible.chars().filter(char::is_ascii_digit).collect());
    }
    is_one.then_some(compatible)
}

fn digit(c: char) -> Option<u32> {
    let of_script = NOUGHTS.iter().map(|nought| u32::from(c).wrapping_sub(u32::from(*nought)));
    let circled = CIRCLED.iter().find(|(range, _)| range.contains(&u32::from(c)));
    of_script
        .into_iter()
        .find(|digit| *digit < 10)
        .or_else(|| circled.map(|(range, first)| u32::from(c) - range.start + first))
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::insight::redaction::{Masker, typed};

    #[test]
    fn every_decimal_digit_is_read_as_one() {
        let decimal = Regex::new(r"^\p{Nd}$").expect("a pattern");
        let all: Vec<String> = ('\u{80}'..=char::MAX).map(String::from).collect();
        for c in all.iter().filter(|c| decimal.is_match(c)) {
            let read = folded(c).into_text();
            assert!(read.len() == 1 && read.as_bytes()[0].is_ascii_digit(), "{c} as {read}");
        }
        assert_eq!(folded("٤१𝟎𝟗④⓪❹⓿²₃５").into_text(), "41094040235");
        assert_eq!(folded("ＧＢ８２ ⒊ ⑳ 4\u{fe0f}\u{20e3}1\u{200b}2").into_text(), "GB82 3 20 412");
    }

    #[test]
    fn what_is_read_is_found_where_it_was_written() {
        let text = "né ٤\u{200b}⑳ x";
        let read = folded(text);
        assert_eq!(read.as_str(), "né 420 x");
        let at = read.as_str().find("420").expect("the digits");
        assert_eq!(&text[read.written(at..at + 3)], "٤\u{200b}⑳");
        assert_eq!(&text[read.written(at + 2..at + 3)], "⑳");
        assert_eq!(read.written(0..read.as_str().len()), 0..text.len());
        for same in ["Zoë, ½ of it — naïve", "", "4111"] {
            assert_eq!(folded(same).into_text(), same);
            assert_eq!(folded(same).written(0..same.len()), 0..same.len());
        }
    }

    #[test]
    fn spaces_that_are_written_out_or_are_letters_part_no_card() {
        for between in ["&nbsp;", "&#160;", "&#xA0;", "\u{3164}", "\u{115f}", "\u{2800}"] {
            let card = ["4539", "1488", "0343", "6467"].join(between);
            let text = format!("it is {card}, yes");
            assert_eq!(typed(&text).as_str(), "it is [card-1], yes");
            let turn = Masker::default().typed_turn(&"p-1".into(), &"t-1".into(), &text).text;
            assert_eq!(turn.as_str(), "it is [card-1], yes");
            let plain = format!("Ann{between}Smith & 12{between}cats &amp; 4711");
            assert_eq!(typed(&plain).as_str(), plain);
        }
    }

    #[test]
    fn digits_of_any_script_are_masked_in_one_message_and_over_several() {
        for zero in ['\u{ff10}', '\u{660}', '\u{1d7ce}'] {
            let write = |text: &str| -> String {
                let other = |c: char| char::from_u32(u32::from(zero) + c.to_digit(10)?);
                text.chars().map(|c| other(c).unwrap_or(c)).collect()
            };
            for parts in [
                &["my card is 4539", "1488", "0343", "6467"][..],
                &["45391488", "03436467"],
                &["mine is 4539148803436467 then"],
            ] {
                let mut masker = Masker::default();
                for part in parts {
                    let text = masker.typed_turn(&"p-1".into(), &"t-1".into(), &write(part)).text;
                    assert!(text.as_str().contains('['), "{} of {part}", text.as_str());
                    assert!(!text.as_str().contains(&write("8")), "{} of {part}", text.as_str());
                }
            }
            assert_eq!(typed(&write("cvv 123, ok")).as_str(), "cvv [security_code-1], ok");
            let order = write("order 4711\n of 3/4/2026");
            assert_eq!(typed(&order).as_str(), order);
            let partial = Masker::default().partial(&"p-1".into(), &write("it's 45391488 or"));
            assert_eq!(partial.as_str(), "it's •••• or");
        }
        let mut masker = Masker::default();
        let mut say = |text: &str| {
            masker.typed_turn(&"p-1".into(), &"t-1".into(), text).text.as_str().to_owned()
        };
        let iban = "ＩＢＡＮ ＧＢ８２ ＷＥＳＴ １２３４ ５６９８ ７６５４ ３２ it is";
        assert_eq!(say(iban), "ＩＢＡＮ [iban-1] it is");
        assert_eq!(say("注文 ４７１１  is late"), "注文 ４７１１  is late");
    }
}
