//! Addresses as they are written on letters, over several lines or in one.

use super::lists::Known;
use super::tokens::{Shape, Token};
use super::words::{DWELLINGS, NEVER, STREET_ENDINGS, STREETS, WITHIN_NAMES};
use super::{Found, Secret};

/// So many tokens an address has at most.
const MOST_TOKENS: usize = 30;
/// So many words a street's name has at most before the word for street.
const STREET_WORDS_MAX: usize = 4;
/// A street's word stands within so many tokens of the house number.
const STREET_WITHIN: usize = 6;

pub(super) fn addresses(tokens: &[Token<'_>]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match begins(tokens, at).map(|least| extend(tokens, at, least)) {
            Some(end) if end > at => {
                found.push(Found {
                    start: tokens[at].start,
                    end: tokens[end - 1].end,
                    kind: Secret::Address,
                });
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

fn is_capital(token: &Token<'_>) -> bool {
    token.is_word() && token.is_capital && !NEVER.contains(&*token.small)
}

fn is_street(token: &Token<'_>) -> bool {
    let is_ending = |ending: &&str| {
        token.small.len() > ending.len() + 2
            && token.small.ends_with(*ending)
            && !token.known.is(Known::WORD)
    };
    token.is_word()
        && (STREETS.contains(&*token.small)
            || token.is_capital && STREET_ENDINGS.iter().any(is_ending))
}

fn is_house(token: &Token<'_>) -> bool {
    let digits = token.text.bytes().filter(u8::is_ascii_digit).count();
    token.is_number() && digits <= 6 && token.text.len() <= digits + 1
}

/// How many tokens from here on are an address for certain, if one begins here.
fn begins(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let token = &tokens[at];
    if DWELLINGS.contains(&*token.small) && token.is_capital {
        let mut next = at + 1;
        let is_between = |token: &Token<'_>| {
            token.is_mark('.')
                || token.is_mark('#')
                || matches!(&*token.small, "box" | "office" | "o")
        };
        while next - at < STREET_WITHIN && tokens.get(next).is_some_and(is_between) {
            next += 1;
        }
        return tokens.get(next).filter(|token| token.is_number()).map(|_| next + 1 - at);
    }
    if token.small == "corner" && tokens.get(at + 1).is_some_and(|token| token.small == "of") {
        let and = (at + 2..tokens.len().min(at + 9)).find(|and| tokens[*and].small == "and")?;
        let end = (and + 1..tokens.len()).take_while(|next| is_capital(&tokens[*next])).last()?;
        return is_capital(&tokens[at + 2]).then_some(end + 1 - at);
    }
    if is_house(token) && !tokens.get(at + 1).is_some_and(|next| next.is_mark(':')) {
        return house_first(tokens, at);
    }
    if is_capital(token) && token.is_apart {
        return street_first(tokens, at);
    }
    None
}

/// "12 Timms Drive", "6400 12 Timms Drive", "28030 Edeby 55".
fn house_first(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut next = at + 1;
    while next - at < STREET_WITHIN
        && tokens.get(next).is_some_and(|token| is_house(token) && token.is_apart)
    {
        next += 1;
    }
    let numbers = next - at;
    if !tokens.get(next).is_some_and(|token| is_capital(token) && token.is_apart) {
        return None;
    }
    let mut capitals = 0;
    for (index, token) in tokens.iter().enumerate().skip(next).take(STREET_WITHIN) {
        if is_street(token) && (token.is_capital || capitals > 0) {
            return Some(index + 1 - at);
        }
        let is_part = is_capital(token)
            || token.is_mark('.') && !token.is_apart
            || WITHIN_NAMES.contains(&*token.small);
        if is_part {
            capitals += usize::from(is_capital(token));
            continue;
        }
        // "28030 Edeby 55", "416 Kiannonkatu 98".
        let is_numbered = is_house(token) && token.is_apart && capitals <= 3;
        return (is_numbered || token.shape == Shape::Line && numbers > 1)
            .then_some(index + 1 - at);
    }
    None
}

/// "Mellemvej 32", "Strada Provinciale 65", "Abbey Road".
fn street_first(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut street = None;
    let mut capitals = 0;
    let mut index = at;
    while index < tokens.len() && index - at <= STREET_WORDS_MAX {
        let token = &tokens[index];
        let is_within = WITHIN_NAMES.contains(&*token.small) && index > at;
        if is_street(token) && (token.is_capital || capitals > 0) {
            street = Some(index);
        } else if !is_capital(token) && !is_within {
            break;
        }
        if index > at && (!token.is_apart || token.opens) {
            break;
        }
        capitals += usize::from(is_capital(token));
        index += 1;
    }
    let street = street?;
    let stop = usize::from(tokens.get(index).is_some_and(|token| token.is_mark('.')));
    let house = tokens.get(index + stop);
    if house.is_some_and(|token| is_house(token) && token.is_apart && token.text.len() <= 4) {
        return Some(index + stop + 1 - at);
    }
    // Without a number only an English street, whose word comes last.
    let last = &tokens[street];
    let is_plain =
        street > at && last.known.is(Known::WORD) && last.is_capital && last.small.len() > 3;
    let is_named = tokens[at..street].iter().any(|token| !token.known.is(Known::WORD));
    (is_plain && is_named).then_some(street + 1 - at)
}

/// Takes what follows on the line and the lines behind it: dwelling, town, postal code, country.
fn extend(tokens: &[Token<'_>], at: usize, least: usize) -> usize {
    let mut end = at + least;
    let mut lines = 0;
    let mut next = end;
    while next < tokens.len() && next - at < MOST_TOKENS {
        let token = &tokens[next];
        match token.shape {
            Shape::Line => {
                lines += 1;
                if lines > 1 {
                    break;
                }
                next += 1;
                continue;
            }
            Shape::Mark(',' | '-' | '#' | '/' | '>') => {
                next += 1;
                continue;
            }
            Shape::Mark('.') => {
                let previous = &tokens[next - 1];
                let is_short = DWELLINGS.contains(&*previous.small)
                    || is_street(previous) && previous.text.len() <= 4;
                let is_house = previous.is_number()
                    && tokens.get(next + 1).is_some_and(|next| next.shape == Shape::Line);
                if !is_short && !is_house {
                    break;
                }
                next += 1;
                continue;
            }
            _ => {}
        }
        let is_labelled = tokens.get(next + 1).is_some_and(|next| next.is_mark(':'));
        let begins_sentence = token.opens && token.known.is(Known::WORD) && lines == 0;
        let is_part = is_capital(token) || token.is_number() || token.small == "nan";
        let is_within =
            WITHIN_NAMES.contains(&*token.small) && tokens.get(next + 1).is_some_and(is_capital);
        let is_street = is_street(token) && token.small.len() > 3 && tokens[next - 1].is_capital;
        if is_labelled || begins_sentence || !(is_part || is_within || is_street) {
            break;
        }
        lines = 0;
        next += 1;
        end = next;
    }
    end
}
