//! Finds runs of digits among words, whichever way they are said or written.

use std::sync::LazyLock;

use regex::Regex;

use super::card;
use crate::domain::number_of;

/// Digits with a name before them.
static NAMED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"[=:]["']?(\d{4,})"#).expect("a pattern of this file"));

/// Consecutive words that spell digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Index of the first word.
    pub first: usize,
    /// Index of the last word that carries a digit.
    pub last: usize,
    pub digits: String,
    /// Nothing but fillers stands before it.
    pub leads: bool,
    /// Nothing but fillers stands after it.
    pub trails: bool,
}

/// What one word contributes.
enum Piece {
    Digits(String),
    /// "twenty": a unit may follow and replace the zero.
    Tens(char),
    /// "double", "triple": repeats the digit that follows.
    Repeat(usize),
    /// A nought, or surprise: "oh, okay" after a number isn't its next digit.
    Oh,
    /// Sounds like a digit, and is one only between digits.
    Homophone(char),
    /// An amount or a decimal ("45.39"), which recognisers also write for groups of a number: it is
    /// digits when such stand beside it.
    Quantity(String),
    Filler,
    Other,
}

/// So many fillers in a row don't interrupt a number.
const FILLERS_MAX: usize = 3;

pub(super) fn runs<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Run> {
    let pieces: Vec<Piece> = words.map(piece).collect();
    let mut found: Vec<Run> = Vec::new();
    let mut open: Option<Run> = None;
    let mut fillers = 0;
    let mut repeat = None;
    let mut tens_open = false;
    let mut only_fillers_before = true;
    for (index, piece) in pieces.iter().enumerate() {
        let said = match piece {
            Piece::Digits(said) => Some(said.clone()),
            Piece::Tens(tens) => Some(format!("{tens}0")),
            Piece::Oh
                if open.is_some()
                    || digit_follows(&pieces[index + 1..])
                    || index + 1 == pieces.len() =>
            {
                Some("0".to_owned())
            }
            Piece::Homophone(digit) if open.is_some() && digit_follows(&pieces[index + 1..]) => {
                Some(digit.to_string())
            }
            Piece::Quantity(said) if open.is_some() || digit_follows(&pieces[index + 1..]) => {
                Some(said.clone())
            }
            _ => None,
        };
        match (said, piece) {
            (Some(said), _) => {
                let run = open.get_or_insert_with(|| Run {
                    first: index,
                    last: index,
                    digits: String::new(),
                    leads: only_fillers_before,
                    trails: false,
                });
                let single = said.len() == 1;
                if tens_open && single && said != "0" {
                    // "forty two": the unit takes the place of the zero.
                    run.digits.pop();
                }
                let times = if single { repeat.take().unwrap_or(1) } else { 1 };
                run.digits.push_str(&said.repeat(times));
                run.last = index;
                fillers = 0;
                tens_open = matches!(piece, Piece::Tens(_));
            }
            (None, Piece::Repeat(times)) => {
                repeat = Some(*times);
                tens_open = false;
            }
            (None, Piece::Filler) if fillers < FILLERS_MAX => {
                fillers += 1;
                tens_open = false;
            }
            _ => {
                found.extend(open.take());
                only_fillers_before = false;
                fillers = 0;
                repeat = None;
                tens_open = false;
            }
        }
        if open.is_some() {
            only_fillers_before = false;
        }
    }
    if let Some(mut run) = open {
        run.trails = true;
        found.push(run);
    }
    found
}

fn digit_follows(rest: &[Piece]) -> bool {
    rest.iter().find(|piece| !matches!(piece, Piece::Filler)).is_some_and(|piece| {
        matches!(
            piece,
            Piece::Digits(_) | Piece::Tens(_) | Piece::Repeat(_) | Piece::Quantity(_) | Piece::Oh
        )
    })
}

fn piece(word: &str) -> Piece {
    let word =
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '£' && c != '$' && c != '€');
    let lower = word.to_lowercase();
    if lower.is_empty() {
        // A lone dash or comma between groups.
        return Piece::Filler;
    }
    if let Some(piece) = written(&lower) {
        return piece;
    }
    if let Some(digits) = hyphenated(&lower).or_else(|| lettered(&lower)) {
        return Piece::Digits(digits);
    }
    match spoken(&lower) {
        Piece::Other => {}
        piece => return piece,
    }
    match lower.as_str() {
        "double" => Piece::Repeat(2),
        "triple" | "treble" => Piece::Repeat(3),
        "for" | "fore" => Piece::Homophone('4'),
        "to" | "too" => Piece::Homophone('2'),
        "won" => Piece::Homophone('1'),
        "ate" => Piece::Homophone('8'),
        "sex" | "sicks" => Piece::Homophone('6'),
        "um" | "uh" | "er" | "erm" | "ah" | "hmm" | "and" | "then" | "dash" | "hyphen"
        | "space" | "comma" | "so" | "it's" | "is" | "yeah" | "yes" | "okay" | "ok" | "right"
        | "that's" | "the" | "like" | "number" => Piece::Filler,
        _ => Piece::Other,
    }
}

/// "4539", "4539-1488", "4539.1488": groups of digits. "£45.39" and "2,500" are quantities.
fn written(word: &str) -> Option<Piece> {
    let bare = word.trim_start_matches(['£', '$', '€']);
    let mut digits = String::new();
    let mut after_digit = false;
    let mut quantity = bare.len() < word.len();
    for c in bare.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '-' | '‐' | '–' | '—' | '/' | '_' | '\u{a0}' | '\u{202f}' if !digits.is_empty() =>
                {}
            '.' | ',' if after_digit => quantity = true,
            _ => return None,
        }
        after_digit = c.is_ascii_digit();
    }
    if digits.is_empty() {
        return None;
    }
    // Nobody owes as much as eight digits with a point in them, nor a thousandth.
    let is_split = bare.split_once('.').is_some_and(|(a, b)| a.len() > 2 && b.len() == 3);
    let number = (digits.len() >= 8 || is_split) && bare.len() == word.len();
    Some(if quantity && !number { Piece::Quantity(digits) } else { Piece::Digits(digits) })
}

/// A card's number with the same letters or marks between all its groups ("4539x1488x…", "4539\n1488…"), or with a name
/// before each ("a=45391488;b=03436467"). Other words with digits in them are no numbers.
fn lettered(word: &str) -> Option<String> {
    if word.bytes().filter(u8::is_ascii_digit).count() < card::SHORTEST {
        return None;
    }
    let inner = word.trim_matches(|c: char| !c.is_ascii_digit());
    let mut between = inner.split(|c: char| c.is_ascii_digit()).filter(|mark| !mark.is_empty());
    let first = between.next()?;
    let digits: String = match between.all(|mark| mark == first) {
        true => inner.chars().filter(char::is_ascii_digit).collect(),
        false => NAMED.captures_iter(word).filter_map(|hit| Some(hit.get(1)?.as_str())).collect(),
    };
    card::is_whole_card(&digits).then_some(digits)
}

/// "forty-two", "four-five-three-nine", "four,five,three,nine".
fn hyphenated(word: &str) -> Option<String> {
    const BETWEEN: [char; 5] = ['-', ',', '.', '/', '_'];
    // Marks among digits alone are no words' ("0..500").
    let between = if word.contains(char::is_alphabetic) { &BETWEEN[..] } else { &BETWEEN[..1] };
    if !word.contains(between) {
        return None;
    }
    let mut digits = String::new();
    let mut tens_open = false;
    for part in word.split(between) {
        match spoken(part) {
            Piece::Digits(said) => {
                if tens_open && said.len() == 1 {
                    digits.pop();
                }
                tens_open = false;
                digits.push_str(&said);
            }
            Piece::Tens(tens) => {
                digits.push(tens);
                digits.push('0');
                tens_open = true;
            }
            Piece::Oh => digits.push('0'),
            _ => match written(part)? {
                Piece::Digits(said) => digits.push_str(&said),
                _ => return None,
            },
        }
    }
    Some(digits)
}

fn spoken(word: &str) -> Piece {
    match (number_of(word), word) {
        (Some(number @ 0..20), _) => Piece::Digits(number.to_string()),
        (Some(tens), _) => Piece::Tens(char::from(b'0' + tens / 10)),
        (None, "oh" | "o") => Piece::Oh,
        (None, "nought" | "naught" | "nil") => Piece::Digits("0".to_owned()),
        (None, _) => Piece::Other,
    }
}
