//! Which sentence of a passage goes onto the card.
//!
//! A card shows one sentence, so that sentence must answer alone. Four things are weighed: nearness
//! to the question in meaning and in words, the kind of thing that is asked for, whether the
//! sentence stands on its own, and its place: who writes articles puts the answer first.

use super::sentence::Span;
use super::terms;

/// What a sentence is worth for the question's words, all of them.
const WORDS: f32 = 0.25;
/// What it is worth to hold the kind of thing that is asked for.
const KIND: f32 = 0.12;
const FIRST: f32 = 0.08;
const SECOND: f32 = 0.03;
/// What it costs to lean on the sentence before.
const LEANS: f32 = 0.12;

/// One wording of the question.
pub(crate) struct Asked<'a> {
    pub text: &'a str,
    pub weight: f32,
    /// Its terms and how much each one says.
    pub terms: Vec<(&'a str, f32)>,
    /// The cosine with each sentence; empty without vectors.
    pub cosines: Vec<f32>,
}

/// The best sentence. The first wording is the bare question.
pub(crate) fn choose(text: &str, sentences: &[Span], wordings: &[Asked<'_>]) -> Span {
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
            score += KIND;
        }
        if leans(sentence, &words) {
            score -= LEANS;
        }
        score + [FIRST, SECOND].get(at).copied().unwrap_or(0.0)
    };
    let scores: Vec<f32> = (0..sentences.len()).map(score).collect();
    let best =
        (0..sentences.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a)));
    best.map_or_else(
        || Span { start_chars: 0, end_chars: text.chars().count() },
        |best| sentences[best],
    )
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
        choose(text, &sentences(text), &[asked]).slice(text)
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
