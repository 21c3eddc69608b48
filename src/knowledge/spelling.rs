//! Words that stand in no article, read as the nearest that stands in one.
//!
//! Nearness is the number of letters that are changed, lost, added or swapped with their neighbour; all
//! words of the index within it are walked at once (Schulz and Mihov 2002, Fast string correction with
//! Levenshtein automata, <https://doi.org/10.1007/s10032-002-0082-8>).

use std::sync::LazyLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::Searcher;
use tantivy::schema::Field;
use tantivy_fst::Automaton;

/// Shorter words have too many neighbours.
const LETTERS_MIN: usize = 4;
/// From so many letters on two may be wrong.
const LONG: usize = 8;

static ONE: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
static TWO: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));

struct Near(DFA);

impl Automaton for &Near {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

/// The term of these fields that is spelled most like `term`; of several, the one that most documents
/// have. None for what means just what it says, such as a code, and for short words. People get the
/// first letter right.
pub(super) fn nearest(
    searcher: &Searcher,
    fields: &[Field],
    term: &str,
) -> Result<Option<String>, tantivy::TantivyError> {
    let letters = term.chars().count();
    if letters < LETTERS_MIN || !term.chars().all(char::is_alphabetic) {
        return Ok(None);
    }
    let near = Near(if letters < LONG { &ONE } else { &TWO }.build_dfa(term));
    let mut best: Option<(u8, std::cmp::Reverse<u32>, String)> = None;
    for &field in fields {
        for segment in searcher.segment_readers() {
            let inverted = segment.inverted_index(field)?;
            let mut found = inverted.terms().search(&near).into_stream()?;
            while found.advance() {
                let Ok(text) = std::str::from_utf8(found.key()) else { continue };
                if text.chars().next() != term.chars().next() {
                    continue;
                }
                let rank = (near.0.eval(text).to_u8(), std::cmp::Reverse(found.value().doc_freq));
                if best.as_ref().is_none_or(|(edits, holders, _)| rank < (*edits, *holders)) {
                    best = Some((rank.0, rank.1, text.to_owned()));
                }
            }
        }
    }
    Ok(best.map(|(_, _, text)| text))
}
