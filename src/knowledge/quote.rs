//! Which sentence of a passage goes onto the card.
//!
//! A card shows one sentence, so that sentence must answer alone. Four things are weighed: nearness
//! to the question in meaning and in words, the kind of thing that is asked for, whether the
//! sentence stands on its own, and its place: who writes articles puts the answer first. When the
//! sentence beside it answers about as well and both can be read at a glance, both are shown. The
//! weights are fitted on `tests/dialogues`.

use super::sentence::Span;
use super::terms;

/// What a sentence is worth for the question's words, all of them.
const WORDS: f32 = 0.45;
/// What it is worth to hold the kind of thing that is asked for.
const KIND: f32 = 0.12;
/// A time is asked for less loosely than money or consent.
const KIND_OF_TIME: f32 = 0.2;
const FIRST: f32 = 0.11;
const SECOND: f32 = 0.03;
/// What it costs to lean on the sentence before.
const LEANS: f32 = 0.12;
/// Two sentences that are read at a glance: code points, with the space between.
const GLANCE: usize = 200;
/// How much less well the second of two may answer.
const BESIDE: f32 = 0.45;

/// One wording of the question.
pub(crate) struct Asked<'a> {
    pub text: &'a str,
    pub weight: f32,
    /// Its terms and how much each one says.
    pub terms: Vec<(&'a str, f32)>,
    /// The cosine with each sentence; empty without vectors.
    pub cosines: Vec<f32>,
}

/// The best sentence, or the best two. The first wording is the bare question.
pub(crate) fn choose(text: &str, sentences: &[Span], wordings: &[Asked<'_>]) -> Span {
    let scores = weigh(text, sentences, wordings);
    best(&scores).map_or_else(
        || Span { start_chars: 0, end_chars: text.chars().count() },
        |best| beside(text, sentences, &scores, best),
    )
}

fn best(scores: &[f32]) -> Option<usize> {
    (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a)))
}

/// What each sentence is worth.
fn weigh(text: &str, sentences: &[Span], wordings: &[Asked<'_>]) -> Vec<f32> {
    let total: f32 = wordings.iter().map(|wording| wording.weight).sum();
    let kind = wordings.iter().find_map(|wording| Kind::asked_for(wording.text));
    let score = |at: usize| {
        let sentence = sentences[at].slice(text);
        let held = terms::terms(sentence);
        let mut score = 0.0;
        for wording in wordings {
            let all: f32 = wording.terms.iter().map(|(_, idf)| idf).sum();
            let shared = wording.terms.iter().filter(|(term, _)| held.iter().any(|h| h == term));
            let shared: f32 = shared.map(|(_, idf)| idf).sum();
            let near = wording.cosines.get(at).copied().unwrap_or(0.0);
            score += (near + WORDS * shared / all.max(1.0)) * wording.weight / total;
        }
        let words = terms::words(sentence);
        if kind.is_some_and(|kind| kind.is_in(&words)) {
            score += if kind == Some(Kind::Time) { KIND_OF_TIME } else { KIND };
        }
        if leans(sentence, &words) {
            score -= LEANS;
        }
        score + [FIRST, SECOND].get(at).copied().unwrap_or(0.0)
    };
    (0..sentences.len()).map(score).collect()
}

/// The sentence with the better of its neighbours, if that is near enough in worth and both are
/// short. Items of a list stay apart.
fn beside(text: &str, sentences: &[Span], scores: &[f32], best: usize) -> Span {
    let joined = |other: usize| {
        let (first, second) = (sentences[best.min(other)], sentences[best.max(other)]);
        let between = Span { start_chars: first.end_chars, end_chars: second.start_chars };
        let both = Span { start_chars: first.start_chars, end_chars: second.end_chars };
        let fits = both.end_chars - both.start_chars <= GLANCE;
        let is_prose =
            between.slice(text).trim().is_empty() && !between.slice(text).contains("\n\n");
        (fits && is_prose && scores[other] >= scores[best] - BESIDE)
            .then_some((scores[other], both))
    };
    let before = best.checked_sub(1).and_then(joined);
    let after = Some(best + 1).filter(|&next| next < sentences.len()).and_then(joined);
    let better = before.into_iter().chain(after).max_by(|a, b| a.0.total_cmp(&b.0));
    better.map_or(sentences[best], |(_, both)| both)
}

/// Whether a sentence needs another one to be understood.
fn leans(sentence: &str, words: &[String]) -> bool {
    const LEANING: [&str; 10] =
        ["it", "they", "this", "that", "these", "those", "then", "otherwise", "however", "also"];
    words.len() < 4
        || sentence.ends_with([':', '?'])
        || words.first().is_some_and(|first| LEANING.contains(&first.as_str()))
        || words.iter().any(|word| matches!(word.as_str(), "these" | "those"))
}

/// What kind of thing a question wants to hear.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Money,
    Time,
    /// Yes, no, or on which condition.
    Consent,
}

impl Kind {
    fn asked_for(question: &str) -> Option<Self> {
        const MONEY: &[&str] = &[
            "how much",
            "cost",
            "costs",
            "what do i get",
            "what would i get",
            "price",
            "what is the charge",
            "how many pounds",
            "charge for",
            "fee for",
        ];
        const TIME: &[&str] = &[
            "when",
            "how long",
            "how soon",
            "how many days",
            "how quick",
            "how quickly",
            "quicker",
            "sooner",
            "faster",
            "how fast",
            "what time",
            "what day",
            "by what date",
        ];
        const CONSENT: &[&str] = &[
            "do you",
            "do i",
            "can i",
            "can you",
            "can we",
            "could i",
            "could you",
            "will you",
            "will i",
            "would you",
            "would i",
            "am i",
            "are you",
            "is there",
            "is it",
            "does it",
            "does that",
            "do we",
            "should i",
            "may i",
            "cant you",
            "have i",
        ];
        let text = format!(" {} ", terms::words(question).join(" "));
        let any =
            |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(&format!(" {phrase} ")));
        if any(MONEY) {
            Some(Self::Money)
        } else if any(TIME) {
            Some(Self::Time)
        } else if any(CONSENT) {
            Some(Self::Consent)
        } else {
            None
        }
    }

    fn is_in(self, words: &[String]) -> bool {
        const UNITS: &[&str] = &[
            "day", "days", "hour", "hours", "month", "months", "minute", "minutes", "week",
            "weeks", "year", "years", "am", "pm", "working",
        ];
        let any = |kinds: &[&str]| words.iter().any(|word| kinds.contains(&word.as_str()));
        match self {
            Self::Money => {
                any(&["pound", "free"]) || words.windows(2).any(|w| w == ["no", "charge"])
            }
            Self::Time => {
                let dated = words.windows(2).any(|pair| {
                    pair[0].bytes().any(|b| b.is_ascii_digit()) && UNITS.contains(&pair[1].as_str())
                });
                dated || any(&["same", "next", "tomorrow", "until", "immediately"]) && any(UNITS)
            }
            Self::Consent => {
                any(&[
                    "can", "cannot", "may", "must", "not", "only", "if", "unless", "always",
                    "never", "no", "yes",
                ]) || words.first().is_some_and(|word| word == "we")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::sentences;

    fn chosen<'a>(text: &'a str, question: &str) -> &'a str {
        let terms = terms::terms(question);
        let terms = terms.iter().map(|term| (term.as_str(), 1.0)).collect();
        let asked = Asked { text: question, weight: 1.0, terms, cosines: Vec::new() };
        let sentences = sentences(text);
        sentences[best(&weigh(text, &sentences, &[asked])).unwrap()].slice(text)
    }

    #[test]
    fn the_sentence_has_what_is_asked_for() {
        let text = "A parcel is traced by our depot. It costs nothing more. Tracing a parcel takes 3 \
            working days. Tracing costs £4. A parcel can be traced if it has a label.";
        assert_eq!(
            chosen(text, "how long does tracing take"),
            "Tracing a parcel takes 3 working days."
        );
        assert_eq!(chosen(text, "how much is tracing"), "Tracing costs £4.");
        let condition = "A parcel can be traced if it has a label.";
        let other =
            "Every parcel goes through our depot. A parcel can be traced if it has a label.";
        assert_eq!(chosen(other, "can my parcel be traced"), condition);
        assert_eq!(chosen(text, "tell me about tracing"), "A parcel is traced by our depot.");
    }

    #[test]
    fn a_sentence_stands_on_its_own() {
        let text = "Some parcels are lost. They are paid for. A lost parcel is paid for by us.";
        assert_eq!(chosen(text, "who paid for it"), "A lost parcel is paid for by us.");
    }
}
