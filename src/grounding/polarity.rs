//! What is denied: which words stand behind a "not".

use super::reading::{Part, Word};

/// Whether a word is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Denied {
    #[default]
    No,
    /// Behind a denial, with other words between.
    Far,
    /// What the denial is about.
    Head,
}

const DENIALS: &[&str] = &[
    "not", "no", "never", "cannot", "cant", "dont", "doesnt", "didnt", "wont", "wouldnt", "isnt",
    "arent", "wasnt", "werent", "hasnt", "havent", "hadnt", "couldnt", "shouldnt", "mustnt",
    "without", "unable", "neither", "nor", "none", "nobody", "nothing", "fail", "fails", "failed",
    "refuse", "refuses", "refused", "aint", "cant", "hardly", "didn", "isn", "nowhere",
];

pub(super) fn is_denial(lower: &str) -> bool {
    DENIALS.contains(&lower)
}

/// So many words behind a denial may be what it denies.
const REACH: usize = 5;

/// Marks what stands behind denials, each within its clause.
pub(super) fn mark(words: &mut [Word]) {
    for at in 0..words.len() {
        if !is_denial(&words[at].lower) {
            continue;
        }
        // "not only … but also" denies nothing.
        if words.get(at + 1).is_some_and(|next| next.lower == "only") {
            continue;
        }
        let clause = words[at].clause;
        let mut head_seen = false;
        for word in words.iter_mut().skip(at + 1).take(REACH) {
            if word.clause != clause {
                break;
            }
            if matches!(word.part, Part::Stop) {
                continue;
            }
            let denied = if head_seen { Denied::Far } else { Denied::Head };
            // "don't have the receipt": the light verb isn't the point.
            head_seen |= matches!(word.part, Part::Content);
            word.denied = denied;
        }
    }
}
