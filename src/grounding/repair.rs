//! What is left of a text reads well without what was struck.

use crate::domain::{Fault, ProvenSentence, Redacted, StruckSentence};
use crate::insight::redaction;

/// Openings that go on from the sentence before and can be left out.
const CONNECTIVES: &[&str] = &[
    "however",
    "also",
    "then",
    "therefore",
    "so",
    "but",
    "and",
    "moreover",
    "in addition",
    "additionally",
    "furthermore",
    "besides",
    "still",
    "instead",
    "otherwise",
    "as a result",
    "consequently",
    "because of this",
    "because of that",
    "after that",
    "afterwards",
    "subsequently",
    "nevertheless",
    "for this reason",
    "hence",
    "thus",
    "in response",
    "in turn",
    "finally",
    "lastly",
    "similarly",
    "likewise",
    "meanwhile",
    "next",
    "on top of that",
    "in return",
    "at that point",
    "to this",
];

/// Openings that mean what stands in the sentence before.
const POINTERS: &[&str] = &[
    "it", "this", "that", "these", "those", "its", "such", "both", "neither", "he", "she", "they",
    "his", "her", "their",
];

type Verdict = Result<ProvenSentence, StruckSentence>;

/// Mends the openings behind struck sentences; the verdicts come in reading order, and stay so.
pub(super) fn mended(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let mut after_struck = false;
    let mend = |verdict: Verdict| match verdict {
        Ok(sentence) if after_struck => {
            let opening = without_connective(&sentence.text);
            if points_back(opening.as_str()) {
                return Err(StruckSentence {
                    text: sentence.text,
                    fault: Fault::Dangling,
                    why: redaction::published("what it refers to was struck"),
                });
            }
            after_struck = false;
            Ok(ProvenSentence { text: opening, ..sentence })
        }
        Ok(sentence) => Ok(sentence),
        Err(struck) => {
            after_struck = true;
            Err(struck)
        }
    };
    verdicts.into_iter().map(mend).collect()
}

/// "However, the agent …" becomes "The agent …".
fn without_connective(text: &Redacted) -> Redacted {
    let mut text = text.clone();
    // "But then, …"
    for _ in 0..2 {
        let lower = text.as_str().to_ascii_lowercase();
        let rest = CONNECTIVES.iter().filter_map(|connective| {
            let rest = lower.strip_prefix(connective)?;
            let gap = rest.len() - rest.trim_start_matches([',', ' ', ':']).len();
            (gap > 0 && gap < rest.len()).then_some(connective.len() + gap)
        });
        let Some(cut) = rest.max() else { break };
        text = text.slice(cut..text.as_str().len()).capitalised();
    }
    text
}

fn points_back(text: &str) -> bool {
    let first: String =
        text.chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    POINTERS.contains(&first.as_str())
}
