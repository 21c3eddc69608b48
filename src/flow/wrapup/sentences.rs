//! Turns to sentences: where they begin and end, without what greets, addresses or signs.

use super::cues::{self, Cues};
use crate::domain::{Proof, ProvenSentence, Role, Turn, TurnCitation};
use crate::insight::orders::{self, Whose};

/// A sentence with fewer words says too little to stand alone.
pub const WORDS_MIN: usize = 4;
/// A sentence with more is cut where a clause begins: recognised speech has few full stops.
const WORDS_MAX: usize = 34;
/// No clause that is cut off is shorter.
const CLAUSE_WORDS_MIN: usize = 10;

const ABBREVIATIONS: &[&str] = &[
    "e.g", "i.e", "etc", "mr", "mrs", "ms", "dr", "st", "vs", "approx", "no", "nr", "z.b", "mme",
    "sr", "sra",
];
/// Words before a sentence that say nothing in it.
const LEADING: &[&str] = &[
    "hi", "hello", "hey", "hiya", "um", "uh", "er", "erm", "hmm", "well", "okay", "ok", "so",
    "right", "alright", "oh", "ah", "yeah", "yep", "and", "great", "sure", "now", "hallo", "ja",
    "also", "bonjour", "alors", "hola", "bueno",
];
/// The same, after which a name may stand.
const GREETINGS: &[&str] = &["hi", "hello", "hey", "hiya", "hallo", "bonjour", "hola", "dear"];
/// Greetings of two words.
const GREETING_PAIRS: &[(&str, &str)] = &[
    ("good", "morning"),
    ("good", "afternoon"),
    ("good", "evening"),
    ("guten", "tag"),
    ("guten", "morgen"),
    ("guten", "abend"),
    ("buenos", "días"),
    ("buenas", "tardes"),
];
/// Clauses begin after these.
const CLAUSES: &[&str] =
    &["and", "but", "so", "because", "then", "und", "aber", "et", "mais", "y", "pero"];

/// A sentence as it stands in its turn, without the words around it that say nothing.
#[derive(Clone, Debug)]
pub struct Sentence<'a> {
    pub turn: &'a Turn,
    /// Which turn of the conversation, from 0.
    pub turn_number: usize,
    start_bytes: usize,
    end_bytes: usize,
    start_chars: usize,
    end_chars: usize,
    /// As [`cues::words`] writes it.
    pub words: String,
    pub word_count: usize,
    pub cues: Cues,
    pub is_question: bool,
}

impl<'a> Sentence<'a> {
    pub fn text(&self) -> &str {
        &self.turn.text.as_str()[self.start_bytes..self.end_bytes]
    }

    pub fn role(&self) -> Role {
        self.turn.party.role
    }

    pub fn is_customers(&self) -> bool {
        matches!(self.role(), Role::Customer | Role::Mixed)
    }

    /// Says nothing but "thank you", "I'm sorry", "bear with me" or "what's your name".
    pub fn is_idle(&self) -> bool {
        let idle = self.cues.has(Cues::COURTESY | Cues::APOLOGY) && !self.says_something();
        self.word_count < WORDS_MIN || idle || self.cues.has(Cues::HOLD | Cues::IDENTITY)
    }

    fn says_something(&self) -> bool {
        let matter = Cues::ADVICE | Cues::PROMISE | Cues::CAUSE | Cues::OUTCOME | Cues::FINDING;
        self.cues.has(matter) || (self.is_customers() && self.cues.has(Cues::PROBLEM | Cues::WISH))
    }

    pub fn citation(&self) -> TurnCitation {
        TurnCitation {
            turn_id: self.turn.id.clone(),
            role: self.role(),
            start_chars: self.start_chars,
            end_chars: self.end_chars,
            quote: self.turn.text.slice(self.start_bytes..self.end_bytes),
        }
    }

    pub fn proof(&self) -> Proof {
        Proof::Turn(self.citation())
    }

    /// Word for word, so that nothing can be wrong with it.
    pub fn proven(&self) -> ProvenSentence {
        let citation = self.citation();
        ProvenSentence {
            text: citation.quote.clone(),
            proofs: vec![Proof::Turn(citation)],
            support: 1.0,
        }
    }
}

/// All sentences in the order in which they were said, without what is addressed to a machine: drafts are
/// read by people, and by the next machine. Time and memory grow with the text, no faster.
pub fn sentences(turns: &[Turn]) -> Vec<Sentence<'_>> {
    let mut sentences = all_sentences(turns);
    let mut to_machines = (usize::MAX, Vec::new());
    sentences.retain(|one| {
        if to_machines.0 != one.turn_number {
            let (text, whose) = (one.turn.text.as_str(), Whose::of(one.role()));
            to_machines = (one.turn_number, orders::orders(text, whose));
        }
        let mut here = to_machines.1.iter();
        !here.any(|at| at.start < one.end_bytes && one.start_bytes < at.end)
    });
    sentences
}

/// The same with everything that was said.
pub fn all_sentences(turns: &[Turn]) -> Vec<Sentence<'_>> {
    let mut out = Vec::with_capacity(turns.len() * 2);
    for (turn_number, turn) in turns.iter().enumerate() {
        let text = turn.text.as_str();
        let (mut counted_bytes, mut counted_chars) = (0, 0);
        for (start, end) in cut(text).into_iter().flat_map(|span| clauses(text, span)) {
            let (start, end) = bared(text, start, end);
            if start >= end {
                continue;
            }
            let slice = &text[start..end];
            let words = cues::words(slice);
            let word_count = words.split_ascii_whitespace().count();
            if word_count == 0 {
                continue;
            }
            counted_chars += text[counted_bytes..start].chars().count();
            counted_bytes = start;
            let start_chars = counted_chars;
            out.push(Sentence {
                turn,
                turn_number,
                start_bytes: start,
                end_bytes: end,
                start_chars,
                end_chars: start_chars + slice.chars().count(),
                cues: cues::cues(&words),
                words,
                word_count,
                is_question: slice.trim_end_matches(['"', ')', '”', '!']).ends_with('?'),
            });
        }
    }
    out
}

/// Byte spans of sentences.
fn cut(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut start = 0;
    let mut word_start = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c.is_whitespace() {
            word_start = at + c.len_utf8();
        }
        let is_end = match c {
            '\n' | '。' => true,
            '.' | '!' | '?' | '…' => {
                let mut next = rest.peek().map(|(_, next)| *next);
                while next
                    .is_some_and(|n| matches!(n, '.' | '!' | '?' | '"' | '\'' | ')' | '”' | '’'))
                {
                    rest.next();
                    next = rest.peek().map(|(_, next)| *next);
                }
                next.is_none_or(char::is_whitespace)
                    && !(c == '.' && is_abbreviation(&text[word_start.min(at)..at]))
            }
            _ => false,
        };
        if is_end {
            let end = rest.peek().map_or(text.len(), |(next, _)| *next);
            spans.push((start, end));
            (start, word_start) = (end, end);
        }
    }
    spans.push((start, text.len()));
    spans
}

fn is_abbreviation(word: &str) -> bool {
    word.len() <= 6 && ABBREVIATIONS.contains(&word.trim_start_matches('(').to_lowercase().as_str())
}

/// Cuts a sentence that goes on and on where a clause begins.
fn clauses(text: &str, (start, end): (usize, usize)) -> Vec<(usize, usize)> {
    let sentence = &text[start..end];
    if sentence.split_whitespace().count() <= WORDS_MAX {
        return vec![(start, end)];
    }
    let mut spans = Vec::new();
    let (mut from, mut words) = (start, 0);
    let mut after_comma = false;
    for word in sentence.split_whitespace() {
        let at = start + (word.as_ptr() as usize - sentence.as_ptr() as usize);
        let lower = word.to_lowercase();
        let begins = after_comma || CLAUSES.contains(&lower.as_str());
        if begins && words >= CLAUSE_WORDS_MIN {
            spans.push((from, at));
            (from, words) = (at, 0);
        }
        words += 1;
        after_comma = word.ends_with([',', ';', ':']);
    }
    spans.push((from, end));
    spans
}

/// Without handles, greetings and fillers in front, and addresses and signatures behind.
fn bared(text: &str, mut start: usize, mut end: usize) -> (usize, usize) {
    let is_edge =
        |c: char| c.is_whitespace() || matches!(c, ',' | '-' | '–' | '—' | ';' | ':' | '.');
    let mut greeted = false;
    loop {
        let slice = &text[start..end];
        let trimmed = slice.trim_start_matches(|c: char| is_edge(c) || c == '!');
        start += slice.len() - trimmed.len();
        let mut words = trimmed.split_whitespace();
        let word = words.next().unwrap_or_default();
        let core = bare(word);
        let pair = words
            .next()
            .filter(|next| GREETING_PAIRS.iter().any(|(a, b)| *a == core && *b == bare(next)));
        if let Some(next) = pair {
            let length = trimmed.find(next).unwrap_or(0) + next.len();
            start += length;
            greeted = true;
            continue;
        }
        let is_handle = word.starts_with(['@', '.']) && word.contains('@');
        let is_part = is_part(word);
        let is_name = greeted
            && word.ends_with([',', '.', '!'])
            && word.starts_with(char::is_uppercase)
            && !word.trim_end_matches([',', '.', '!']).contains(|c: char| !c.is_alphabetic());
        let is_addressed = greeted && matches!(core.as_str(), "there" | "team" | "guys");
        let is_filler = is_addressed || (LEADING.contains(&core.as_str()) && !word.ends_with('?'));
        if !(is_handle || is_part || is_name || is_filler) || word.is_empty() {
            break;
        }
        greeted = GREETINGS.contains(&core.as_str());
        start += word.len();
    }
    loop {
        let slice = text[start..end].trim_end();
        end = start + slice.len();
        let Some(word) = slice.split_whitespace().next_back() else { break };
        if is_address(word) || is_signature(word) || is_part(word) || is_decoration(word) {
            end -= word.len();
            continue;
        }
        break;
    }
    let slice = &text[start..end];
    let shorter = slice.trim_end_matches([',', ';', ':', '-', '–', '—', ' ']);
    end = start + shorter.len();
    (start, end)
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

fn is_address(word: &str) -> bool {
    word.starts_with("http://") || word.starts_with("https://")
}

/// `^JK`, `/AB`, `*RT`: who wrote a message.
fn is_signature(word: &str) -> bool {
    let Some(name) = word.strip_prefix(['^', '/', '*', '-', '~']) else { return false };
    (1..=8).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphabetic())
}

/// `1/2`, `(2/2)`: which part of a message.
fn is_part(word: &str) -> bool {
    let core = word.trim_matches(['(', ')']);
    matches!(core.as_bytes(), [a, b'/', b] if a.is_ascii_digit() && b.is_ascii_digit())
}

/// Pictures and marks that stand alone.
fn is_decoration(word: &str) -> bool {
    !word.contains(char::is_alphanumeric) && !word.ends_with(['.', '?', '!', ')', '"', '”', ']'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Party, Redacted};

    fn turn(text: &str) -> Turn {
        Turn {
            id: "t-1".into(),
            party: Party { id: "p-1".into(), role: Role::Customer, name: None },
            start_ms: 0,
            end_ms: 0,
            text: Redacted::vouched(text),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "en".into(),
        }
    }

    fn texts(text: &str) -> Vec<String> {
        let turns = [turn(text)];
        sentences(&turns).iter().map(|one| one.text().to_owned()).collect()
    }

    #[test]
    fn what_greets_and_signs_is_left_out() {
        assert_eq!(
            texts(
                "@115 Hi Emma, my line is down, e.g. today. Well so it costs £4.50? https://t.co/x ^JK"
            ),
            ["my line is down, e.g. today.", "it costs £4.50?"]
        );
        assert_eq!(texts("(1/2) No, I did not. /AB 🙂"), ["No, I did not."]);
        assert_eq!(texts("… !? 🙂"), Vec::<String>::new());
    }

    #[test]
    fn long_clauses_are_cut() {
        let long = "I called on Monday and nobody came to the house at all that day ".repeat(3);
        let found = texts(&long);
        assert!(found.len() > 2, "{found:?}");
    }

    proptest! {
        #[test]
        fn sentences_are_slices_in_order(text in "([a-zA-Z0-9£é.,!?@^/ \n-]|\\PC|hi |and |https://a ){0,200}") {
            let turns = [turn(&text)];
            let mut last = 0;
            for one in sentences(&turns) {
                let citation = one.citation();
                let by_chars: String = text.chars().skip(citation.start_chars)
                    .take(citation.end_chars - citation.start_chars).collect();
                prop_assert_eq!(by_chars.as_str(), citation.quote.as_str());
                prop_assert_eq!(one.text(), citation.quote.as_str());
                prop_assert!(citation.start_chars >= last);
                last = citation.end_chars;
            }
        }
    }
}
