//! Words around a day or a time that change what it means: "by", "after", "not", "no wait", "usually".

use super::{View, clock, names};
use crate::flow::wrapup::Language;

/// What a preposition makes of the words behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    At,
    /// Then or sooner.
    By,
    /// Sooner.
    Before,
    /// Later.
    After,
}

/// Words with which somebody corrects themselves, and how many.
pub fn mend_at(view: View) -> Option<usize> {
    let word = |ahead| view.word(ahead);
    let is_marked = view.token(0).is_some_and(|token| token.is_marked);
    match (view.language, word(0), word(1)) {
        (Language::English, "no", "wait" | "sorry" | "hang" | "hold" | "actually" | "not") => {
            Some(2)
        }
        (Language::English, "i", "mean") | (Language::English, "or", "rather") => Some(2),
        (Language::English, "scratch", "that") | (Language::English, "hang", "on") => Some(2),
        (Language::English, "make", "that" | "it") => Some(2),
        (Language::English, "sorry" | "actually" | "wait", _) => Some(1),
        (Language::English, "no", _) if is_marked => Some(1),
        (Language::German, "nein" | "moment" | "sorry" | "entschuldigung", _) => Some(1),
        (Language::German, "ich", "meine") | (Language::German, "quatsch", _) => Some(2),
        (Language::German, "beziehungsweise" | "vielmehr", _) => Some(1),
        (Language::French, "non" | "pardon" | "plutôt", _) => Some(1),
        (Language::French, "enfin", _) => Some(1),
        (Language::French, "je", "veux") if word(2) == "dire" => Some(3),
        (Language::Spanish, "perdón" | "mejor", _) => Some(1),
        (Language::Spanish, "no", _) if is_marked => Some(1),
        (Language::Spanish, "quiero", "decir") | (Language::Spanish, "o", "mejor") => Some(2),
        _ => None,
    }
}

/// "The end of the day", "close of business".
pub fn close_at(view: View) -> Option<usize> {
    // "At the end of the day, it's your choice."
    if view.language != Language::English || view.before(2) == "at" {
        return None;
    }
    match (view.word(0), view.word(1), view.word(2), view.word(3)) {
        ("end", "of", "the", "day") => Some(4),
        ("end", "of", "day" | "play" | "business", _) => Some(3),
        ("end", "of", "today", _) => Some(2),
        ("close", "of", "business" | "play", _) => Some(3),
        ("cob" | "eod", ..) => Some(1),
        _ => None,
    }
}

/// The prepositions before, and what they make of it.
pub fn bound(view: View, upto: usize) -> (usize, Bound) {
    let mut from = view.at;
    let is_article = |word: &str| {
        one_of!(word;
            "the" "on" "about" "around" "at" "dem" "den" "der" "zum" "el" "la" "las" "le" "vers"
            "um" "gegen" "am" "del" "à" "a" "say" "like"
        )
    };
    let word = |at: usize| view.tokens[at].word.as_str();
    let mut at = from;
    while at > 0 && from - at < 3 && is_article(word(at - 1)) {
        at -= 1;
    }
    let before = |back: usize| at.checked_sub(back).map_or("", word);
    let pair = (before(2), before(1));
    let lead = match pair {
        ("later" | "latest", "than" | "by") => Some((Bound::By, 2)),
        ("on", "or") | ("or", "before") => Some((Bound::By, 1)),
        ("as", "of" | "from") | ("à", "partir") | ("a", "partir") => Some((Bound::After, 1)),
        ("más", "tardar") | ("plus", "tard") => Some((Bound::By, 1)),
        ("bis", "spätestens") | ("spätestens", "bis") => Some((Bound::By, 2)),
        (_, "de") if matches!(before(2), "antes") => Some((Bound::Before, 2)),
        (_, "de") if matches!(before(2), "partir" | "après" | "después") => {
            Some((Bound::After, 2))
        }
        (
            _,
            "by" | "until" | "till" | "til" | "bis" | "spätestens" | "d'ici" | "hasta" | "jusqu'à",
        ) => Some((Bound::By, 1)),
        (_, "before" | "avant" | "antes") => Some((Bound::Before, 1)),
        (_, "vor") => Some((Bound::Before, 1)),
        (
            _,
            "after" | "from" | "since" | "starting" | "past" | "ab" | "nach" | "seit" | "après"
            | "dès" | "depuis" | "desde" | "después",
        ) => Some((Bound::After, 1)),
        _ => None,
    };
    let behind =
        |ahead: usize| view.tokens.get(upto + ahead).map_or("", |token| token.word.as_str());
    let tail = match (behind(0), behind(1), behind(2)) {
        ("at", "the", "latest") | ("au", "plus", "tard") | ("a", "más", "tardar") => {
            Some(Bound::By)
        }
        ("or", "before" | "sooner" | "earlier", _) => Some(Bound::By),
        ("at", "the", "earliest") => Some(Bound::After),
        ("onwards" | "onward" | "spätestens", ..) => {
            Some(if behind(0) == "spätestens" { Bound::By } else { Bound::After })
        }
        ("or", "later" | "after", _) => Some(Bound::After),
        _ => None,
    };
    // "At two" is quoted with its "at".
    if from > 0 && matches!(word(from - 1), "at" | "um" | "à" | "las") && is_clock_lead(view) {
        from -= 1;
    }
    let bound = lead.map(|(bound, _)| bound).or(tail).unwrap_or(Bound::At);
    (from, bound)
}

fn is_clock_lead(view: View) -> bool {
    clock::clock_at(view).is_some()
}

/// "Usually within two days" is no promise of a day.
pub fn is_usual(view: View, from: usize) -> bool {
    let before = from.checked_sub(1).map_or("", |at| view.tokens[at].word.as_str());
    one_of!(before;
        "usually" "normally" "typically" "generally" "roughly" "probably" "maybe" "hopefully"
        "possibly" "normalerweise" "meist" "wahrscheinlich" "normalement" "généralement"
        "normalmente" "perhaps"
    )
}

/// "On the fifth or sixth", "tomorrow or so".
pub fn is_alternative(behind: View) -> bool {
    let next = behind.word(1);
    matches!(behind.word(0), "or" | "oder" | "ou" | "o")
        && (names::is_time_word(next)
            || names::weekday(next).is_some()
            || one_of!(next;
                "so" "maybe" "possibly" "perhaps" "even" "morgen" "übermorgen" "demain" "mañana"
                "pasado"
            ))
}

/// "Not Thursday", "not on the fifth".
pub fn is_denied(view: View, from: usize) -> bool {
    let before =
        |back: usize| from.checked_sub(back).map_or("", |at| view.tokens[at].word.as_str());
    let is_not = |word: &str| matches!(word, "not" | "isn't" | "nicht" | "pas");
    is_not(before(1))
        || (is_not(before(2)) && one_of!(before(1); "on" "at" "the" "am" "until" "before" "till"))
}
