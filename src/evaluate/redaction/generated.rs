//! Conversations in which card numbers are said and written, made by a seeded generator.
//!
//! Half of them have a card: of nine networks, in digits or words or pairs, with fillers, in groups over several turns, with
//! other words between, read back by the agent. The others have only numbers that are none.

use rand::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Serialize;

use crate::domain::{PartyId, RedactionOutcome, TurnId};
use crate::insight::redaction::{Kinds, Masker, RawWord};

/// Prefixes and lengths of networks' numbers, and how their digits are grouped on the plastic.
const NETWORKS: &[(&str, usize, &[usize])] = &[
    ("4", 16, &[4, 4, 4, 4]),
    ("4", 16, &[4, 4, 4, 4]),
    ("53", 16, &[4, 4, 4, 4]),
    ("2230", 16, &[4, 4, 4, 4]),
    ("37", 15, &[4, 6, 5]),
    ("36", 14, &[4, 6, 4]),
    ("6011", 16, &[4, 4, 4, 4]),
    ("3530", 16, &[4, 4, 4, 4]),
    ("62", 19, &[6, 13]),
    ("6759", 18, &[4, 4, 4, 6]),
    ("4", 13, &[4, 3, 3, 3]),
];
const DIGITS: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const LEADS: [&str; 8] = [
    "My card number is",
    "It's",
    "Yeah so the long number is",
    "The number on the front is",
    "Sure,",
    "OK it is",
    "You can charge my card,",
    "Let me see,",
];
const TAILS: [&str; 6] =
    ["", "", "thanks", "and that's it", "it expires next March", "is that right"];
const FILLERS: [&str; 5] = ["um", "uh", "and then", "okay", "dash"];
const BETWEEN: [&str; 6] =
    ["go on", "okay", "yes I have that", "got it, and then", "mm-hm", "hang on a second please"];
const BEFORE: [&str; 5] = [
    "Can I take the long number on the card please?",
    "What's the card number?",
    "And which card would you like to use?",
    "How would you like to pay?",
    "Go ahead.",
];
const AFTER: [&str; 4] = [
    "Thank you, that went through just fine, is there anything else today",
    "Perfect, and what is the name that the account is under please",
    "Great, I can see the booking on my screen now so one moment",
    "Thanks for that, let me just look up what we have here for you",
];
/// Talk without a card; `#` is a digit.
const HARMLESS: &[&str] = &[
    "My order number is ########",
    "The order is #####-#### from last week",
    "You can reach me on 07### ######",
    "My number is 020 7946 0###",
    "Call me at 541-555-01##",
    "It was £##.## on the 3rd of March",
    "I paid ###.## dollars, twice",
    "The meter reads #####",
    "We moved here on 12/05/2019 and pay ## a month",
    "The tracking says QX########GB",
    "The error code is ####",
    "my postcode is SW1A 1AA and the flat is number ##",
    "I was on hold for ## minutes and ## seconds",
    "The booking reference is K#F##R",
    "I have # lines and ## extensions",
    "Customer number one #### two ##",
    "The serial is SN-####-####",
    "It has been ## days since the 4th",
    "Case ####### please",
    "My account with you is ##########",
    "I bought # of them for ## each",
    "The invoice is from 20## and says ####",
    "flight ### at ##:##",
    "call me back on +44 7### ######",
    "My order number is 1##-#######-####### from the website",
    "The tracking number is 0034 0434 #### #### ####",
    "The ICCID of the SIM is 8944 20## #### #### ###",
    "The parcel number is 155########### they say",
];

/// A conversation, and the card in it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Who says what.
    pub turns: Vec<(&'static str, String)>,
    /// Digits only; none where no card is said.
    pub card: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct CardFigures {
    pub cases: usize,
    pub cards: usize,
    /// Of the cards, those of which no eight digits in a row are shown and no ten in all.
    pub recall: f64,
    /// Of the cases in which something stays masked, those with a card.
    pub precision: f64,
    /// Runs of digits with a card's check digit that are still shown.
    pub leaks: usize,
}

/// Cases, always the same for a seed.
pub fn cases(count: usize, seed: u64) -> Vec<Case> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..count).map(|number| case(number, &mut random)).collect()
}

fn pick<'a, T: ?Sized>(from: &[&'a T], random: &mut Xoshiro256PlusPlus) -> &'a T {
    from[random.random_range(0..from.len())]
}

fn case(number: usize, random: &mut Xoshiro256PlusPlus) -> Case {
    let mut turns = Vec::new();
    if number % 2 == 1 {
        for _ in 0..random.random_range(2..6) {
            turns.push(("customer", digits_for(pick(HARMLESS, random), random)));
            turns.push(("agent", pick(&AFTER, random).to_owned()));
        }
        return Case { turns, card: None };
    }
    let (prefix, length, grouping) = NETWORKS[random.random_range(0..NETWORKS.len())];
    let card = card(prefix, length, random);
    turns.push(("agent", pick(&BEFORE, random).to_owned()));
    let is_typed = random.random_bool(0.3);
    let is_split = random.random_bool(0.5);
    let has_words_between = is_split && random.random_bool(0.5);
    let mut turn = pick(&LEADS, random).to_owned();
    let mut rest = card.as_str();
    let style = random.random_range(0..5);
    let separator = if is_typed { pick(&["", " ", "-", " - ", ".", "/"], random) } else { " " };
    for (index, group) in grouping.iter().enumerate() {
        let (said, tail) = rest.split_at(*group);
        rest = tail;
        if index > 0 {
            match is_split && random.random_bool(0.6) {
                true => {
                    turns.push(("customer", std::mem::take(&mut turn)));
                    if has_words_between {
                        turns.push(("agent", pick(&BETWEEN, random).to_owned()));
                    }
                }
                false if is_typed => {}
                false if random.random_bool(0.15) => {
                    turn.push(' ');
                    turn.push_str(pick(&FILLERS, random));
                }
                false => {}
            }
        }
        let said = if is_typed { said.to_owned() } else { spoken(said, style, random) };
        let is_new = index == 0 || turn.is_empty();
        turn.push_str(if is_new { " " } else { separator });
        turn.push_str(&said);
    }
    turn.push(' ');
    turn.push_str(pick(&TAILS, random));
    turns.push(("customer", turn.trim().to_owned()));
    if random.random_bool(0.3) {
        let back: String = grouping
            .iter()
            .scan(0, |from, group| {
                let said = &card[*from..*from + group];
                *from += group;
                Some(format!("{said} "))
            })
            .collect();
        turns.push(("agent", format!("So that's {}", back.trim())));
    }
    turns.push(("agent", pick(&AFTER, random).to_owned()));
    turns.push(("customer", "no that is everything for me today, thank you very much".to_owned()));
    Case { turns, card: Some(card) }
}

fn digits_for(pattern: &str, random: &mut Xoshiro256PlusPlus) -> String {
    let digit = |c: char, random: &mut Xoshiro256PlusPlus| match c {
        '#' => char::from(b'0' + random.random_range(0..10_u8)),
        c => c,
    };
    pattern.chars().map(|c| digit(c, random)).collect()
}

/// A number with a right check digit (ISO/IEC 7812-1, annex B).
fn card(prefix: &str, length: usize, random: &mut Xoshiro256PlusPlus) -> String {
    let mut digits = prefix.to_owned();
    while digits.len() < length - 1 {
        digits.push(char::from(b'0' + random.random_range(0..10_u8)));
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let doubled = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
            doubled / 10 + doubled % 10
        })
        .sum();
    digits.push(char::from(b'0' + ((10 - sum % 10) % 10) as u8));
    digits
}

fn spoken(group: &str, style: u8, random: &mut Xoshiro256PlusPlus) -> String {
    let value = |byte: u8| usize::from(byte - b'0');
    let bytes = group.as_bytes();
    match style {
        0 => group.to_owned(),
        // One by one, at times with "oh" and "double".
        1 | 2 => {
            let mut said = Vec::new();
            let mut at = 0;
            while at < bytes.len() {
                let name = match bytes[at] {
                    b'0' if style == 2 => "oh",
                    byte => DIGITS[value(byte)],
                };
                if style == 2 && bytes.get(at + 1) == Some(&bytes[at]) {
                    said.push("double");
                    at += 1;
                }
                said.push(name);
                at += 1;
            }
            said.join(" ")
        }
        // In pairs: "forty-five thirty-nine".
        3 if bytes.len().is_multiple_of(2) => {
            let pairs = bytes.chunks(2).map(|pair| match (value(pair[0]), value(pair[1])) {
                (0, ones) => format!("oh {}", DIGITS[ones]),
                (1, ones) => TEENS[ones].to_owned(),
                (tens, 0) => TENS[tens].to_owned(),
                (tens, ones) => format!("{}-{}", TENS[tens], DIGITS[ones]),
            });
            pairs.collect::<Vec<_>>().join(" ")
        }
        _ => {
            let one = |byte: &u8| match random.random_bool(0.5) {
                true => DIGITS[value(*byte)].to_owned(),
                false => char::from(*byte).to_string(),
            };
            bytes.iter().map(one).collect::<Vec<_>>().join(" ")
        }
    }
}

/// What everybody sees of a case in the end, a turn each.
pub fn shown(case: &Case) -> Vec<String> {
    const TURN_MS: u64 = 5_000;
    let mut masker = Masker::of(Kinds::USUAL);
    let mut resolved = Vec::new();
    let mut lines: Vec<crate::domain::Redacted> = Vec::new();
    for (number, (party, text)) in case.turns.iter().enumerate() {
        let at_ms = number as u64 * TURN_MS;
        let words: Vec<RawWord> = text
            .split_whitespace()
            .map(|word| RawWord {
                text: word.to_owned(),
                start_ms: at_ms,
                end_ms: at_ms,
                confidence: 1.0,
            })
            .collect();
        let masked = masker.final_turn(&PartyId::from(*party), &turn_id(number), &words);
        lines.push(masked.text);
        resolved.extend(masked.resolved);
    }
    resolved.extend(masker.finish());
    for one in resolved {
        let RedactionOutcome::Released(words) = &one.outcome else { continue };
        if let Some(at) = (0..lines.len()).find(|at| turn_id(*at) == one.turn_id) {
            lines[at] = lines[at].released(&one.placeholder, words);
        }
    }
    lines.iter().map(|line| line.as_str().to_owned()).collect()
}

fn turn_id(number: usize) -> TurnId {
    TurnId::from(format!("t-{number}"))
}

/// The digits in a text, spoken ones too.
pub fn digits_of(text: &str) -> String {
    let mut digits = String::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let small = word.to_lowercase();
        match DIGITS.iter().position(|name| *name == small) {
            Some(digit) => digits.push_str(&digit.to_string()),
            None => digits.extend(word.chars().filter(char::is_ascii_digit)),
        }
    }
    digits
}

/// Placeholders hold digits that are none of anybody's.
pub fn without_placeholders(text: &str) -> String {
    let mut kept = String::new();
    for (at, part) in text.split('[').enumerate() {
        kept.push_str(if at == 0 {
            part
        } else {
            part.split_once(']').map_or(part, |(_, rest)| rest)
        });
        kept.push(' ');
    }
    kept
}

/// Masks all cases.
pub fn measure(cases: &[Case]) -> (CardFigures, Vec<(usize, Vec<String>)>) {
    let mut figures = CardFigures { cases: cases.len(), ..CardFigures::default() };
    let (mut hidden, mut right, mut masked) = (0_usize, 0_usize, 0_usize);
    let mut failed = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let lines = shown(case);
        let is_masked =
            lines.iter().any(|line| line.contains("[card-") || line.contains("[digits-"));
        masked += usize::from(is_masked);
        right += usize::from(is_masked && case.card.is_some());
        let mut is_good = case.card.is_some() || !is_masked;
        if let Some(card) = &case.card {
            figures.cards += 1;
            let digits = digits_of(&without_placeholders(&lines.join(" ")));
            // PCI DSS 4.0, requirement 3.4.1: the issuer's digits and the last four may be seen.
            let shows = |length: usize| {
                (0..=card.len() - length).any(|at| digits.contains(&card[at..at + length]))
            };
            let is_hidden = !shows(8) && digits.len() <= 10;
            hidden += usize::from(is_hidden);
            figures.leaks += usize::from(digits.contains(card.as_str()));
            is_good &= is_hidden;
        }
        if !is_good {
            failed.push((number, lines));
        }
    }
    figures.recall = hidden as f64 / figures.cards.max(1) as f64;
    figures.precision = right as f64 / masked.max(1) as f64;
    (figures, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thousand_cards_are_masked_and_other_numbers_are_not() {
        let cases = cases(4_000, 8);
        let (figures, failed) = measure(&cases);
        println!("seed 8: {figures:?}");
        assert!(figures.cards >= 2_000);
        assert!(figures.recall >= 0.995, "{figures:?} {:?}", failed.first());
        assert!(figures.precision >= 0.98, "{figures:?} {:?}", failed.first());
        assert_eq!(figures.leaks, 0);
    }
}
