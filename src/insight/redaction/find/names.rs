//! Names of people, companies and places, by lists, by the words around them, and by how they are written.
//!
//! No model: a chunk of capitalised words gets points for each of the three, and the most points decide. A name that no
//! list knows counts as a person's where the sentence treats it as one.

use std::ops::Range;

use super::lists::Known;
use super::tokens::{Shape, Token};
use super::words::{
    AFTER_PEOPLE, BEFORE_COMPANIES, BEFORE_PEOPLE, BEFORE_PLACES, COMPANY_NOUNS, MONTHS, NEVER,
    OF_COMPANIES, PEOPLES, TITLES, WEEKDAYS, WITHIN_NAMES,
};
use super::{Found, Places, Secret};

/// A chunk is a name from so many points on.
const ENOUGH: f32 = 2.0;
/// Tokens behind a name in which a sentence may say that it is a company.
const COMPANY_WITHIN: usize = 10;

pub(super) fn names(text: &str, tokens: &[Token<'_>], taken: &Places) -> Vec<Found> {
    let mut found = Vec::new();
    let shouted = tokens.iter().filter(|token| token.is_shouted).count();
    let words = tokens.iter().filter(|token| token.is_word()).count();
    // Where all is shouted, capitals say nothing.
    let is_shouted = shouted * 2 > words && words > 3;
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if let Some(end) = title(tokens, at) {
            found.push(Found { start: token.start, end: tokens[end].end, kind: Secret::Title });
        }
        if is_people(token) && !is_other_than_people(tokens, at) {
            found.push(Found { start: token.start, end: token.end, kind: Secret::Nationality });
            at += 1;
            continue;
        }
        let Some(chunk) = chunk(tokens, at, taken, is_shouted) else {
            at += 1;
            continue;
        };
        let (chunk, kind) = judge(tokens, chunk);
        if let Some(kind) = kind {
            let (start, end) = (tokens[chunk.start].start, tokens[chunk.end - 1].end);
            found.push(Found { start, end, kind });
        }
        at = chunk.end.max(at + 1);
    }
    companies_of_families(tokens, &mut found);
    said_names(text, tokens, taken, &mut found);
    found
}

/// "Mr." with its full stop.
fn title(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let token = &tokens[at];
    let is_one = token.is_capital && TITLES.contains(&*token.small) && !token.is_shouted;
    let next = tokens.get(at + 1);
    let has_stop = next.is_some_and(|next| next.is_mark('.') && !next.is_apart);
    let name = tokens.get(at + 1 + usize::from(has_stop));
    let is_followed = name.is_some_and(|name| name.is_word() && name.is_capital);
    (is_one && (is_followed || has_stop)).then_some(at + usize::from(has_stop))
}

fn is_people(token: &Token<'_>) -> bool {
    let small = &*token.small;
    let is_known = |word: &str| PEOPLES.contains(word);
    // "Polish" and "swede" are words, too, where they are written small.
    let is_ambiguous = token.known.is(Known::WORD) && !token.is_capital;
    token.is_word()
        && small.len() >= 3
        && !is_ambiguous
        && (is_known(small) || small.strip_suffix('s').is_some_and(is_known))
}

/// A part of a country's name, "Cyprus (Greek)", or a tongue: "studying English".
fn is_other_than_people(tokens: &[Token<'_>], at: usize) -> bool {
    const OF_TONGUES: [&str; 9] =
        ["in", "studying", "study", "speak", "speaks", "speaking", "learn", "learning", "teach"];
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let of_country = tokens.get(at + 1).is_some_and(|next| {
        super::lists::known(&format!("{} {}", tokens[at].small, next.small)).is(Known::COUNTRY)
    });
    let in_brackets = before(1).is_some_and(|token| token.is_mark('('))
        && before(2).is_some_and(|token| token.known.is(Known::COUNTRY));
    let is_tongue = before(1).is_some_and(|token| OF_TONGUES.contains(&&*token.small));
    of_country || in_brackets || is_tongue
}

fn is_name_like(token: &Token<'_>) -> bool {
    token.is_word() && token.is_capital
}

fn is_never(token: &Token<'_>) -> bool {
    NEVER.contains(&*token.small.replace('’', "'"))
}

/// Capitalised words from here on, without what only the sentence's beginning made a capital of.
fn chunk(
    tokens: &[Token<'_>],
    at: usize,
    taken: &Places,
    is_shouted: bool,
) -> Option<Range<usize>> {
    let is_taken = |token: &Token<'_>| taken.overlap(&(token.start..token.end));
    let first = &tokens[at];
    let is_word = |token: &Token<'_>| token.known.is(Known::WORD) || is_never(token);
    let is_one = |token: &Token<'_>| {
        is_name_like(token)
            && !is_taken(token)
            && (!is_never(token) || token.is_initial())
            && (!is_shouted || !is_word(token))
            && !WEEKDAYS.contains(&*token.small)
            && (!MONTHS.contains(&*token.small) || token.known.is(Known::GIVEN))
    };
    if !is_one(first) || first.is_initial() && first.small == "i" {
        return None;
    }
    // A word that begins a sentence is a word, unless a name follows or it is a name, too.
    let next_is_name = tokens.get(at + 1).is_some_and(|next| {
        is_one(next) && next.is_apart && !next.known.is(Known::WORD) && !next.opens
    });
    let is_name_too = first.known.is(Known::GIVEN | Known::COUNTRY);
    if first.opens && first.known.is(Known::WORD) && !(next_is_name && is_name_too) {
        let is_named = first.known.is(Known::GIVEN) && tokens.get(at + 1).is_some_and(after_person);
        let is_in_company =
            first.known.is(Known::FAMILY | Known::WORD) && company_follows(tokens, at);
        if !is_named && !is_in_company {
            return None;
        }
    }
    let mut end = at + 1;
    while end < tokens.len() {
        let token = &tokens[end];
        let is_initial_stop = token.is_mark('.') && !token.is_apart && tokens[end - 1].is_initial();
        let is_within = WITHIN_NAMES.contains(&*token.small)
            && tokens.get(end + 1).is_some_and(|next| is_one(next) && next.is_apart);
        let is_more = token.is_apart && !token.opens && is_one(token);
        let is_after_stop = token.is_apart && is_one(token) && tokens[end - 1].is_mark('.');
        let is_people = is_people(token) && !is_other_than_people(tokens, end);
        if !(is_initial_stop || is_within || is_more || is_after_stop) || is_people {
            break;
        }
        end += 1;
    }
    while end > at && !is_name_like(&tokens[end - 1]) {
        end -= 1;
    }
    (end > at).then_some(at..end)
}

fn company_follows(tokens: &[Token<'_>], at: usize) -> bool {
    let rest = tokens[at + 1..].iter().take(5).take_while(|token| token.shape != Shape::Line);
    rest.take_while(|token| {
        token.is_capital
            || matches!(token.shape, Shape::Mark(',' | '-' | '&'))
            || token.small == "and"
    })
    .any(|token| token.is_capital && OF_COMPANIES.contains(&*token.small) || token.is_mark(','))
}

fn after_person(token: &Token<'_>) -> bool {
    AFTER_PEOPLE.contains(&*token.small) || token.is_mark(',')
}

/// What a chunk names, if anything, and how much of it belongs to the name.
fn judge(tokens: &[Token<'_>], chunk: Range<usize>) -> (Range<usize>, Option<Secret>) {
    let words: Vec<&Token<'_>> =
        tokens[chunk.clone()].iter().filter(|token| token.is_word()).collect();
    let before = |back: usize| chunk.start.checked_sub(back).and_then(|at| tokens.get(at));
    let small_before = |back: usize| before(back).map_or("", |token| token.small.as_str());
    let after = tokens.get(chunk.end);
    let phrase =
        tokens[chunk.clone()].iter().filter(|token| token.is_word()).map(|token| &*token.small);
    let phrase = super::lists::known(&phrase.collect::<Vec<_>>().join(" "));
    let is_plain = |token: &&Token<'_>| token.known.is(Known::WORD | Known::PROPER);
    let all_words = words.iter().all(is_plain) && !phrase.is(Known::CITY | Known::COUNTRY);
    let is_unknown = |token: &&Token<'_>| token.known == Known::default();

    let (mut person, mut place, mut company) = (0.0_f32, 0.0_f32, 0.0_f32);
    for word in &words {
        let weight = if is_plain(word) { 0.5 } else { 1.0 };
        person += if word.known.is(Known::GIVEN) { 2.0 * weight } else { 0.0 };
        person += if word.known.is(Known::FAMILY) { 1.2 * weight } else { 0.0 };
        person += if is_unknown(word) { 1.0 } else { 0.0 };
        person += if word.known.is_only(Known::CITY) { 0.6 } else { 0.0 };
        person += if word.is_initial() { 0.8 } else { 0.0 };
        if word.known.is(Known::WORD) && !word.known.is(Known::GIVEN | Known::FAMILY) {
            person -= 1.0;
        }
        if OF_COMPANIES.contains(&*word.small) {
            company += if words.len() > 1 { 3.5 } else { 0.0 };
        }
        if word.small.contains('-')
            && word.small.split('-').all(|part| super::lists::known(part).is(Known::FAMILY))
        {
            company += 2.5;
        }
    }
    if words.len() > 4 {
        person -= 1.5;
    }
    // People.
    let before_title =
        before(1).is_some_and(|token| token.is_mark('.')) && TITLES.contains(small_before(2));
    if before_title || TITLES.contains(small_before(1)) {
        person += 4.0;
    }
    if small_before(1) == "is" && small_before(2) == "name"
        || matches!(small_before(1), "named" | "surname")
    {
        person += 4.0;
    }
    if matches!(small_before(1), "i'm" | "i’m") || small_before(1) == "am" && small_before(2) == "i"
    {
        person += 2.0;
    }
    if small_before(1) == "is" && matches!(small_before(2), "this" | "here") {
        person += 2.0;
    }
    if BEFORE_PEOPLE.contains(small_before(1)) {
        person += 1.2;
    }
    if after.is_some_and(|token| AFTER_PEOPLE.contains(&*token.small)) {
        person += if after.is_some_and(|token| token.small == "and") { 0.4 } else { 1.1 };
    }
    let owns = tokens[chunk.end - 1].end;
    if after.is_some_and(|token| token.start > owns + 1 && !token.is_apart) {
        person += 0.6;
    }
    // Places.
    if phrase.is(Known::COUNTRY) {
        place += 3.5;
    }
    if phrase.is(Known::CITY) {
        place += if words.len() > 1 { 2.5 } else { 1.0 };
    }
    if BEFORE_PLACES.contains(small_before(1)) {
        place += match small_before(1) {
            "in" => 2.6,
            "at" | "to" | "of" => 0.8,
            "from" => 1.6,
            _ => 2.0,
        };
    }
    if small_before(1) == "of"
        && matches!(small_before(2), "university" | "city" | "republic" | "capital" | "town")
    {
        place += 3.0;
    }
    let is_listed = before(1).is_some_and(|token| token.is_mark(',') || token.shape == Shape::Line);
    if words.iter().all(|word| word.is_shouted && !word.known.is(Known::WORD)) {
        place += if is_listed { 2.0 } else { 1.0 };
    }
    // Companies.
    if BEFORE_COMPANIES.contains(small_before(1)) {
        company += if small_before(1) == "at" { 1.5 } else { 1.2 };
    }
    if matches!(
        (small_before(2), small_before(1)),
        ("work" | "works" | "worked" | "working", "for" | "at")
    ) {
        company += 2.5;
    }
    if is_asked_name(tokens, chunk.start) {
        person += 3.0;
    }
    let first = &tokens[chunk.start];
    if after.is_some_and(|token| token.is_mark(':') || token.is_mark(',')) && first.opens {
        // Who speaks, and who is spoken to.
        person += 1.2;
    }
    let is_line = (chunk.start == 0 || before(1).is_some_and(|token| token.shape == Shape::Line))
        && after.is_none_or(|token| token.shape == Shape::Line);
    if is_line && words.len() > 1 {
        person += 1.0;
    }
    if is_paired(tokens, &chunk) {
        person += 1.2;
    }
    if is_said_to_be_company(tokens, chunk.end) {
        company += 4.0;
    }
    if after.is_some_and(|token| token.small == "and")
        && tokens
            .get(chunk.end + 1)
            .is_some_and(|token| matches!(&*token.small, "sons" | "co" | "partners"))
    {
        company += 4.0;
    }
    if words.len() == 1 && small_before(1) == "the" && !phrase.is(Known::COUNTRY) {
        company += 1.0;
        person -= 1.5;
    }
    if all_words && company < 3.0 {
        // Capitals alone make no name: "Tube Snake Boogie".
        let is_one = words.len() <= 2
            && words.iter().all(|word| word.known.is(Known::GIVEN | Known::FAMILY));
        if !is_one && person <= 3.0 {
            person = person.min(1.0);
        }
        if words.iter().all(|word| !word.known.is(Known::GIVEN | Known::FAMILY)) {
            place -= 2.0;
        }
    }
    let best = [(person, Secret::Person), (place, Secret::Place), (company, Secret::Organisation)]
        .into_iter()
        .reduce(|best, other| if other.0 > best.0 { other } else { best });
    let kind = best.filter(|(points, _)| *points >= ENOUGH).map(|(_, kind)| kind);
    (chunk, kind)
}

/// "What's your last name? Boyle."
fn is_asked_name(tokens: &[Token<'_>], start: usize) -> bool {
    let mut before = tokens[..start].iter().rev().filter(|token| token.shape != Shape::Line);
    before.next().is_some_and(|token| token.is_mark('?'))
        && before.next().is_some_and(|token| token.small == "name")
}

/// "Usamov and Bowers": two that no word is.
fn is_paired(tokens: &[Token<'_>], chunk: &Range<usize>) -> bool {
    let is_one = |token: Option<&Token<'_>>| {
        token.is_some_and(|token| {
            is_name_like(token) && !token.known.is(Known::WORD | Known::PROPER | Known::COUNTRY)
        }) || token.is_some_and(|token| is_name_like(token) && token.known.is(Known::GIVEN))
    };
    let is_and = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at)).is_some_and(|token| token.small == "and")
    };
    let behind = is_and(Some(chunk.end)) && is_one(tokens.get(chunk.end + 1));
    let ahead = is_and(chunk.start.checked_sub(1))
        && is_one(chunk.start.checked_sub(2).and_then(|at| tokens.get(at)));
    behind || ahead
}

fn is_said_to_be_company(tokens: &[Token<'_>], end: usize) -> bool {
    let rest = &tokens[end.min(tokens.len())..];
    let is_said = rest.first().is_some_and(|token| matches!(&*token.small, "is" | "was"))
        && rest.get(1).is_some_and(|token| matches!(&*token.small, "a" | "an" | "the" | "one"));
    is_said
        && rest[2..]
            .iter()
            .take(COMPANY_WITHIN)
            .take_while(|token| !token.is_mark('.') && token.shape != Shape::Line)
            .any(|token| COMPANY_NOUNS.contains(&*token.small))
}

/// "White, Willis and Hoffman": family names in a row are a firm's.
fn companies_of_families(tokens: &[Token<'_>], found: &mut Vec<Found>) {
    let is_family = |token: &Token<'_>| {
        is_name_like(token)
            && !is_never(token)
            && (!token.known.is(Known::GIVEN) || token.known.is(Known::FAMILY))
            && (token.known.is(Known::FAMILY) || !token.known.is(Known::WORD | Known::PROPER))
    };
    for window in tokens.windows(5) {
        let [first, comma, second, and, third] = window else { continue };
        if is_family(first)
            && comma.is_mark(',')
            && is_family(second)
            && and.small == "and"
            && is_family(third)
        {
            let (start, end) = (first.start, third.end);
            found.retain(|other| other.end <= start || end <= other.start);
            found.push(Found { start, end, kind: Secret::Organisation });
        }
    }
}

/// "my name is rubija", written small.
fn said_names(text: &str, tokens: &[Token<'_>], taken: &Places, found: &mut Vec<Found>) {
    const MOST: usize = 3;
    let mut named_places: Places = found.iter().map(Found::range).collect();
    for at in 2..tokens.len() {
        let is_cue = tokens[at - 1].small == "is" && tokens[at - 2].small == "name"
            || tokens[at - 1].small == "name's";
        if !is_cue || tokens[at].is_capital || is_never(&tokens[at]) {
            continue;
        }
        let is_name = |token: &&Token<'_>| {
            token.is_word()
                && !is_never(token)
                && (token.known.is(Known::GIVEN | Known::FAMILY) || !token.known.is(Known::WORD))
        };
        let named = tokens[at..].iter().take(MOST).take_while(is_name).count();
        if named > 0 {
            let (start, end) = (tokens[at].start, tokens[at + named - 1].end);
            let is_free = !taken.overlap(&(start..end)) && text.is_char_boundary(end);
            if is_free && named_places.take(start..end) {
                found.push(Found { start, end, kind: Secret::Person });
            }
        }
    }
}
