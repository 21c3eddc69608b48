//! What of a sentence with a question mark is asked, and what it takes for granted.

use super::reading::Word;

const AUXILIARIES: &[&str] = &[
    "is", "isnt", "are", "arent", "was", "wasnt", "were", "werent", "am", "do", "dont", "does",
    "doesnt", "did", "didnt", "has", "hasnt", "have", "havent", "had", "hadnt", "can", "cant",
    "could", "couldnt", "will", "wont", "would", "wouldnt", "should", "shouldnt", "shall", "may",
    "might", "must",
];
const SUBJECTS: &[&str] = &[
    "i", "you", "we", "they", "he", "she", "it", "there", "this", "that", "these", "those", "the",
    "my", "your", "our", "his", "her", "their", "any", "anyone", "anybody", "anything", "someone",
    "somebody", "u",
];
/// Subjects that stand behind a verb nowhere but in questions.
const CLEAR_SUBJECTS: &[&str] = &["i", "you", "we", "they", "there", "anyone", "u"];
const PRONOUNS: &[&str] = &["i", "you", "we", "they", "he", "she", "it", "u"];
const HEARER: &[&str] = &["you", "youve", "youre", "youll", "u"];
/// The subject stands among the first words, behind whom it is written to and "so".
const SUBJECT_REACH: usize = 3;
const OPENERS: &[&str] = &[
    "how", "what", "when", "where", "which", "who", "whose", "whats", "hows", "wheres", "whens",
    "any", "anyone", "anybody", "anything",
];
/// "Why can't I …?": nobody asks for the reason of what isn't so.
const REASONS: &[&str] = &["why", "whys"];

/// The first word that is asked. What stands before it is stated, as is all of "but my card was
/// blocked?" and of what somebody asks the reason for.
pub(super) fn asked_from(words: &[Word]) -> usize {
    let lower = |at: usize| words.get(at).map_or("", |word| word.lower.as_str());
    let begins = |at: usize| at == 0 || words[at].clause != words[at - 1].clause;
    let asks = |at: usize| {
        let (first, next) = (lower(at), lower(at + 1));
        let turned_round = AUXILIARIES.contains(&first)
            && match begins(at) {
                true => SUBJECTS.contains(&next),
                false => CLEAR_SUBJECTS.contains(&next),
            };
        let opens = OPENERS.contains(&first) && (begins(at) || AUXILIARIES.contains(&next));
        turned_round || opens
    };
    // "So you agree?" asks the other one.
    let of_hearer = || (0..words.len().min(SUBJECT_REACH)).any(|at| HEARER.contains(&lower(at)));
    let first = (0..words.len()).find(|at| asks(*at));
    let first = first.unwrap_or_else(|| if of_hearer() { 0 } else { words.len() });
    match (0..words.len()).find(|at| REASONS.contains(&lower(*at))) {
        // Behind "why isn't my phone charging" it isn't plain where the subject ends.
        Some(why) if AUXILIARIES.contains(&lower(why + 1)) => {
            if PRONOUNS.contains(&lower(why + 2)) { words.len() } else { why }
        }
        Some(_) => words.len(),
        None => first,
    }
}
