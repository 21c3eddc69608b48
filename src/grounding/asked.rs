//! What a question takes for granted: "Your refund is approved, which card should it go to?"

use super::claim::{Claim, claims};
use super::ground::Ground;
use super::predicate;
use super::reading::{Reading, Word};
use super::tongue::{self, Tongue};
use super::{Verifier, abroad};
use crate::domain::{Fault, Redacted};
use crate::insight::redaction;

const WHICH: &[&str] = &[
    "which", "what", "whats", "who", "whos", "whom", "whose", "where", "wheres", "when", "why",
    "how", "hows", "welche", "welcher", "welches", "welchen", "welchem", "was", "wer", "wen",
    "wem", "wann", "wo", "wohin", "woher", "wie", "warum", "wieso", "womit", "wofür", "worum",
    "ob", "quel", "quelle", "quels", "quelles", "qui", "quoi", "quand", "où", "comment",
    "pourquoi", "combien", "lequel", "laquelle", "si", "est", "qué", "cuál", "cuáles", "quién",
    "cuándo", "dónde", "adónde", "cómo", "cuánto", "cuánta", "cuántos", "whether", "if", "wenn",
    "falls",
];
/// A question without such a word begins with its verb.
const VERBS: &[&str] = &[
    "do",
    "does",
    "did",
    "dont",
    "doesnt",
    "didnt",
    "is",
    "isnt",
    "are",
    "arent",
    "was",
    "wasnt",
    "were",
    "werent",
    "have",
    "has",
    "had",
    "can",
    "could",
    "will",
    "would",
    "shall",
    "should",
    "may",
    "might",
    "am",
    "können",
    "könnten",
    "kann",
    "soll",
    "sollen",
    "möchten",
    "haben",
    "hat",
    "ist",
    "sind",
    "wird",
    "werden",
    "wollen",
    "meinen",
    "geht",
    "handelt",
    "würden",
    "darf",
    "dürfen",
    "wissen",
    "brauchen",
    "war",
    "wurde",
    "pouvez",
    "pourriez",
    "avez",
    "souhaitez",
    "voulez",
    "voulezvous",
    "sagitil",
    "êtes",
    "parlez",
    "dois",
    "peuton",
    "puede",
    "podría",
    "quiere",
    "desea",
    "tiene",
    "es",
    "son",
    "se",
    "ha",
    "hay",
    "está",
    "prefiere",
];
/// In front of what opens a question.
const BEFORE: &[&str] = &[
    "and", "but", "or", "so", "for", "to", "on", "in", "at", "by", "from", "with", "of", "about",
    "sorry", "please", "und", "oder", "auf", "für", "mit", "von", "zu", "um", "bei", "seit", "an",
    "in", "et", "ou", "sur", "pour", "avec", "à", "de", "depuis", "y", "o", "en", "para", "con",
    "a", "desde", "por",
];
/// A clause in another language has so many words if it says something.
const WORDS_MIN: usize = 3;

impl Verifier {
    /// Whether a text is one question that takes nothing for granted but what was said.
    pub fn asks(&self, text: &Redacted, ground: &Ground) -> bool {
        let sentences = claims(text, &|_| false);
        let [question] = &sentences[..] else { return false };
        let reading = Reading::stemmed(question.text.as_str());
        if !reading.is_question || reading.text.matches('?').count() > 1 {
            return false;
        }
        // A question claims nothing, but what it names must be known.
        let invents = self.check(question, ground).is_err_and(|struck| {
            matches!(
                struck.fault,
                Fault::Number
                    | Fault::Date
                    | Fault::Name
                    | Fault::Code
                    | Fault::Order
                    | Fault::Address
            )
        });
        !invents
            && stated(&reading, ground).into_iter().all(|stated| {
                let claim = Claim::new(redaction::published(stated), Vec::<String>::new());
                self.check(&claim, ground).is_ok()
            })
    }
}

/// The parts of a question that say something instead of asking.
fn stated<'a>(reading: &'a Reading, ground: &Ground) -> Vec<&'a str> {
    let words = &reading.words;
    let is_english = tongue::of_claim(words, ground) == Tongue::English;
    let mut found = Vec::new();
    let mut has_asked = false;
    let mut goes_on = false;
    let mut from = 0;
    for at in 1..=words.len() {
        let ends = words.get(at).is_none_or(|word| {
            word.clause != words[at - 1].clause
                || (!is_english && abroad::opens_clause(&word.lower))
        });
        if !ends {
            continue;
        }
        let clause = &words[from..at];
        let first = from;
        from = at;
        let says = match is_english {
            true => predicate::has_verb(reading, first..at),
            false => clause.len() >= WORDS_MIN,
        };
        let is_asking = opens(clause, !has_asked || goes_on);
        // "Could you tell me which card …"
        goes_on = is_asking && clause.iter().any(|word| ASKS_FOR.contains(&word.lower.as_str()));
        has_asked |= is_asking;
        if says && !is_asking {
            // "and your refund is approved"
            let start =
                clause.iter().position(|word| !JOINS.contains(&word.lower.as_str())).unwrap_or(0);
            let bytes = clause[start].bytes.start..clause[clause.len() - 1].bytes.end;
            found.push(reading.text.get(bytes).unwrap_or_default());
        }
    }
    found
}

const JOINS: &[&str] = &[
    "and", "but", "or", "so", "because", "since", "as", "that", "while", "although", "though",
    "after", "before", "und", "aber", "oder", "weil", "dass", "denn", "et", "mais", "ou", "car",
    "parce", "que", "y", "pero", "o", "porque",
];
const ASKS_FOR: &[&str] = &[
    "tell",
    "know",
    "say",
    "confirm",
    "check",
    "mean",
    "sure",
    "remember",
    "let",
    "sagen",
    "wissen",
    "nennen",
    "bestätigen",
    "dire",
    "savez",
    "confirmer",
    "indiquer",
    "préciser",
    "decirme",
    "decir",
    "sabe",
    "confirmar",
    "indicar",
];

/// A clause that asks begins with its verb or a word like "which"; later ones, which may go on with
/// "which we blocked", with a verb only.
fn opens(clause: &[Word], by_word: bool) -> bool {
    let lower = |at: usize| clause.get(at).map_or("", |word| word.lower.as_str());
    let first = (0..clause.len()).find(|at| !BEFORE.contains(&lower(*at))).unwrap_or(0);
    let by_verb = VERBS.contains(&lower(first));
    let open = matches!(lower(first), "if" | "whether" | "ob" | "wenn" | "falls" | "si");
    by_verb || open || (by_word && WHICH.contains(&lower(first)))
}
