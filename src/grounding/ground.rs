//! What sentences are checked against: turns and passages, read once for many sentences.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::claim::byte_spans;
use super::condition;
use super::reading::{Part, Reading, Word};
use super::refusal::{CONTENT_WORDS_MIN, Refusal};
use super::tongue::{self, Tongue};
use super::vectors::{Vectors, cosine};
use crate::domain::{Citation, Party, Proof, Role, Turn, TurnCitation};
use crate::insight::orders::{self, Whose};
use crate::models::Material;

/// A turn or a passage.
#[derive(Debug)]
pub(super) enum Source {
    Turn(Turn),
    Passage(Citation),
}

impl Source {
    fn id(&self) -> &str {
        match self {
            Self::Turn(turn) => turn.id.as_str(),
            Self::Passage(passage) => passage.passage_id.as_str(),
        }
    }
}

/// One sentence of a source: the grain of a proof.
#[derive(Debug)]
pub(super) struct Unit {
    pub source: usize,
    /// In the source's text.
    pub bytes: Range<usize>,
    pub reading: Reading,
    /// The number of its speaker in [`Ground::speakers`]; none for passages.
    pub speaker: Option<usize>,
    /// For a question: what the answer was, where it began with yes or no.
    pub answer: Option<bool>,
    /// It says something only under a condition.
    pub is_conditional: bool,
}

impl Unit {
    /// The words that say something; all of a question may be one: "you've restarted it?" – "No."
    pub fn stated(&self) -> &[Word] {
        let words = &self.reading.words;
        match self.reading.asked_from {
            from if from == words.len() && self.is_answered_question() => &[],
            from => &words[..from],
        }
    }

    /// Whether the word belongs to what is asked.
    pub fn asks(&self, word: usize) -> bool {
        word >= self.stated().len()
    }

    fn is_answered_question(&self) -> bool {
        self.reading.is_question && self.answer.is_some()
    }
}

/// Somebody who speaks in the conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Speaker {
    pub role: Role,
    /// Lower-case words of the name.
    pub name: Vec<String>,
}

fn saying(words: &[Word]) -> String {
    let mut saying = String::with_capacity(words.len() * 6);
    for word in words {
        saying.push_str(&word.lower);
        saying.push(' ');
    }
    saying
}

/// A conversation, and passages, ready to be quoted.
#[derive(Debug)]
pub struct Ground {
    pub(super) sources: Vec<Source>,
    pub(super) units: Vec<Unit>,
    /// The first unit of each source, and one more for the end.
    pub(super) first_units: Vec<usize>,
    pub(super) speakers: Vec<Speaker>,
    /// Stem to units, each once, ascending.
    pub(super) postings: HashMap<String, Vec<u32>>,
    /// Every word as it was said or written, in lower case.
    pub(super) vocabulary: HashSet<String>,
    /// Whole sentences by their words.
    sayings: HashMap<String, Vec<usize>>,
    /// Names of accounts, which hold names: `@AppleSupport`.
    pub(super) handles: Vec<String>,
    /// Stems of what is addressed to a machine. It proves nothing.
    pub(super) ordered: HashSet<String>,
    /// Web and mail addresses that articles or the company's people gave.
    pub(super) addresses: HashSet<String>,
    vectors: Option<Arc<dyn Vectors>>,
    ids: HashMap<String, usize>,
    content_words: usize,
    is_strict: bool,
    tongue: Option<Tongue>,
}

impl Ground {
    /// What is addressed to a machine stands there and proves nothing.
    pub fn of(material: &Material) -> Self {
        let turns = material.turns.iter().cloned().map(Source::Turn);
        let sources: Vec<Source> =
            turns.chain(material.passages.iter().cloned().map(Source::Passage)).collect();
        let mut ground = Self {
            units: Vec::new(),
            first_units: Vec::with_capacity(sources.len() + 1),
            speakers: Vec::new(),
            postings: HashMap::new(),
            vocabulary: HashSet::new(),
            sayings: HashMap::new(),
            handles: Vec::new(),
            ordered: HashSet::new(),
            addresses: HashSet::new(),
            vectors: None,
            ids: HashMap::new(),
            content_words: 0,
            is_strict: false,
            tongue: None,
            sources: Vec::new(),
        };
        let mut places = Vec::new();
        let mut readings = Vec::new();
        let mut ordered = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            ground.first_units.push(places.len());
            ground.ids.entry(source.id().to_lowercase()).or_insert(index);
            let (text, speaker, whose) = match source {
                Source::Turn(turn) => {
                    let speaker = Some(ground.speaker(&turn.party));
                    (turn.text.as_str(), speaker, Whose::of(turn.party.role))
                }
                Source::Passage(passage) => (passage.quote.as_str(), None, Whose::Others),
            };
            let to_machines = orders::orders(text, whose);
            let given = speaker.is_none() || whose == Whose::Company;
            let given = orders::links(text).into_iter().filter(|link| {
                given && !to_machines.iter().any(|at| at.contains(&link.bytes.start))
            });
            ground.addresses.extend(given.map(|link| link.target));
            let handles = text.split_whitespace().filter_map(|word| word.strip_prefix('@'));
            ground.handles.extend(handles.map(str::to_lowercase));
            for bytes in byte_spans(text) {
                let is_order =
                    to_machines.iter().any(|at| at.start < bytes.end && bytes.start < at.end);
                let said = &text[bytes.clone()];
                if is_order {
                    ordered.push(Reading::of(said));
                }
                readings.push(Reading::of(if is_order { "" } else { said }));
                places.push((index, bytes, speaker));
            }
        }
        ground.first_units.push(places.len());
        Reading::set_stems(&mut readings);
        Reading::set_stems(&mut ordered);
        let telling = |word: &&Word| word.part == Part::Content;
        let words = ordered.iter().flat_map(|one| one.words.iter().filter(telling));
        ground.ordered = words.map(|word| word.stem.clone()).collect();
        ground.sources = sources;
        for ((source, bytes, speaker), reading) in places.into_iter().zip(readings) {
            let is_conditional = condition::is_conditional(&reading.words);
            let unit = Unit { source, bytes, reading, speaker, answer: None, is_conditional };
            ground.add(unit);
        }
        ground.answer_questions();
        ground.tongue = tongue::of(ground.units.iter().flat_map(|unit| &unit.reading.words));
        ground.handles.sort();
        ground.handles.dedup();
        ground
    }

    /// The same conversation with nothing in the turns of those who don't fit: every turn keeps its
    /// place and may be cited, and proves nothing.
    pub fn of_those(material: &Material, fits: impl Fn(Role) -> bool) -> Self {
        let turns = material.turns.iter().map(|turn| match fits(turn.party.role) {
            true => turn.clone(),
            false => Turn { text: turn.text.slice(0..0), ..turn.clone() },
        });
        Self::of(&Material { turns: turns.collect(), passages: material.passages.clone() })
    }

    /// Lets what is meant count where words leave it in doubt.
    #[must_use]
    pub fn with_vectors(self, vectors: Arc<dyn Vectors>) -> Self {
        Self { vectors: Some(vectors), ..self }
    }

    /// For what is sent, said aloud or answered: each verb of a sentence must have been said. People's
    /// own summaries are freer than that.
    #[must_use]
    pub fn strictly(self) -> Self {
        Self { is_strict: true, ..self }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.is_strict
    }

    pub(super) fn tongue(&self) -> Option<Tongue> {
        self.tongue
    }

    /// How near a sentence is to the nearest source of some units; none without vectors.
    pub(super) fn nearness(&self, sentence: &str, units: &[usize]) -> Option<f32> {
        let vectors = self.vectors.as_ref()?;
        let sentence = vectors.of_sentence(sentence)?;
        let sources =
            units.iter().filter_map(|unit| self.sources.get(self.units.get(*unit)?.source));
        let near =
            sources.filter_map(|source| Some(cosine(&sentence, vectors.of_source(source.id())?)));
        near.reduce(f32::max)
    }

    fn speaker(&mut self, party: &Party) -> usize {
        // A name comes from elsewhere, too.
        let is_name = |name: &&String| !orders::has_orders(name, Whose::Others);
        let name: Vec<String> = party
            .name
            .iter()
            .filter(is_name)
            .flat_map(|name| name.split(|c: char| !c.is_alphanumeric()))
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let speaker = Speaker { role: party.role, name };
        self.speakers.iter().position(|known| *known == speaker).unwrap_or_else(|| {
            self.speakers.push(speaker);
            self.speakers.len() - 1
        })
    }

    fn add(&mut self, unit: Unit) {
        let number = u32::try_from(self.units.len()).unwrap_or(u32::MAX);
        let is_turn = unit.speaker.is_some();
        for word in &unit.reading.words {
            self.content_words += usize::from(is_turn && word.part == Part::Content);
            if !self.vocabulary.contains(&word.lower) {
                self.vocabulary.insert(word.lower.clone());
            }
            match self.postings.get_mut(&word.stem) {
                Some(units) if units.last() == Some(&number) => {}
                Some(units) => units.push(number),
                None => {
                    self.postings.insert(word.stem.clone(), vec![number]);
                }
            }
        }
        let saying = saying(&unit.reading.words);
        self.sayings.entry(saying).or_default().push(self.units.len());
        self.units.push(unit);
    }

    /// Units that are these words and no others.
    pub(super) fn said(&self, words: &[Word]) -> &[usize] {
        if words.is_empty() {
            return &[];
        }
        self.sayings.get(&saying(words)).map_or(&[], Vec::as_slice)
    }

    /// "Have you restarted it?" – "No." says that it wasn't.
    fn answer_questions(&mut self) {
        for at in 0..self.units.len() {
            if !self.units[at].reading.is_question {
                continue;
            }
            let source = self.units[at].source;
            let Some(next) = self.first_units.get(source + 1).and_then(|at| self.units.get(*at))
            else {
                continue;
            };
            if next.speaker == self.units[at].speaker || next.speaker.is_none() {
                continue;
            }
            let word =
                |at: usize| next.reading.words.get(at).map_or("", |word| word.lower.as_str());
            let mut rest = self.units[at + 1..].iter().take_while(|unit| unit.source == source);
            let is_last = rest.all(|unit| !unit.reading.is_question);
            let answer = match (word(0), word(1)) {
                (
                    "yes" | "yeah" | "yep" | "yup" | "correct" | "sure" | "right" | "absolutely",
                    _,
                )
                | ("i" | "we", "do" | "did" | "have" | "am" | "can") => Some(true),
                ("no" | "nope" | "nah" | "not" | "never", _)
                | ("i" | "we", "dont" | "didnt" | "havent" | "cant" | "couldnt") => Some(false),
                _ => None,
            };
            // Who says yes to several questions in one breath says it to the last.
            self.units[at].answer = answer.filter(|is_so| !is_so || is_last);
        }
    }

    /// Too little was said to write about it.
    ///
    /// # Errors
    /// The reason.
    pub fn enough(&self) -> Result<(), Refusal> {
        let turns = self.sources.iter().filter(|source| matches!(source, Source::Turn(_))).count();
        if self.sources.is_empty() {
            return Err(Refusal::Empty);
        }
        if turns == self.sources.len() && self.content_words < CONTENT_WORDS_MIN {
            return Err(Refusal::TooLittle { turns, content_words: self.content_words });
        }
        Ok(())
    }

    /// Whether somebody gave this address, whoever it was.
    pub(super) fn says_address(&self, target: &str) -> bool {
        let texts = self.units.iter().map(|unit| unit.reading.text.as_str());
        texts.into_iter().any(|text| orders::links(text).iter().any(|link| link.target == target))
    }

    /// Whether an id is that of a turn or a passage.
    pub fn knows(&self, id: &str) -> bool {
        self.source_of(id).is_some()
    }

    pub(super) fn source_of(&self, id: &str) -> Option<usize> {
        self.ids.get(&id.to_lowercase()).copied()
    }

    /// The quotation behind a unit.
    pub(super) fn proof(&self, unit: usize) -> Option<Proof> {
        let unit = self.units.get(unit)?;
        match self.sources.get(unit.source)? {
            Source::Turn(turn) => {
                let start_chars = turn.text.as_str().get(..unit.bytes.start)?.chars().count();
                let quote = turn.text.slice(unit.bytes.clone());
                Some(Proof::Turn(TurnCitation {
                    turn_id: turn.id.clone(),
                    role: turn.party.role,
                    start_chars,
                    end_chars: start_chars + quote.as_str().chars().count(),
                    quote,
                }))
            }
            Source::Passage(passage) => {
                let before = passage.quote.get(..unit.bytes.start)?.chars().count();
                let quote = passage.quote.get(unit.bytes.clone())?.to_owned();
                let start_chars = passage.start_chars + before;
                let end_chars = start_chars + quote.chars().count();
                Some(Proof::Passage(Citation { start_chars, end_chars, quote, ..passage.clone() }))
            }
        }
    }
}
