//! Verbs of telling, feeling and helping, and which side of a contact they are usually said of.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::grounding::reading::{Part, Word};

/// A side of the contact: who has the concern, and who sees to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Customer,
    Agent,
}

/// What the sentence says of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum Does {
    /// They spoke the words that follow.
    Say,
    /// They are in the state that follows: they have a trouble, a wish.
    Feel,
    /// They gave a link, or steps: what agents do.
    Help,
    /// They did what follows.
    Do,
}

/// Verbs whose subject is who spoke; irregular forms behind the verb.
const SAY: &str = "say said/tell told/ask/explain/report/mention/state/note/reply/respond/confirm/complain/promise/\
    offer/suggest/advise/inform/enquire/inquire/request/add/claim/apologise/apologize/thank/insist/warn/wonder/\
    announce/update/deny/admit admitted admitting/point/assure/reassure/write wrote written/recommend/instruct/\
    propose/question/query/answer/clarify/acknowledge/express/describe/remind/notify/demand/seek sought/need";
const ASK: &str = "ask/enquire/inquire/question/query/wonder";
const USUAL_OF_AGENTS: &str = "advise/apologise/apologize/assure/reassure/inform/instruct/offer/promise/propose/recommend/suggest/\
    update/notify";
const USUAL_OF_CUSTOMERS: &str =
    "complain/enquire/inquire/question/seek sought/wonder/demand/claim";
/// Verbs whose subject feels or wishes something.
const FEEL: &str = "want/wish/face/experience/feel felt/suffer/struggle";
const HAVE: &[&str] =
    &["have", "has", "had", "having", "got", "getting", "gets", "faced", "facing"];
const TROUBLES: &[&str] = &[
    "issue",
    "issues",
    "problem",
    "problems",
    "trouble",
    "troubles",
    "difficulty",
    "difficulties",
    "question",
    "questions",
    "query",
    "queries",
    "concern",
    "concerns",
    "complaint",
];
const MOODS: &[&str] = &[
    "unhappy",
    "upset",
    "disappointed",
    "frustrated",
    "annoyed",
    "angry",
    "dissatisfied",
    "unsatisfied",
    "displeased",
    "confused",
    "worried",
    "concerned",
    "excited",
    "furious",
    "disgusted",
    "irritated",
    "interested",
    "waiting",
];
const HELP: &str = "provide/send sent/share/give gave given";
const HELPED_WITH: &[&str] =
    &["link", "links", "url", "urls", "steps", "instructions", "article", "website", "page"];
const REQUEST: &str = "request/ask/need/require/want";
const SERVICE: &[&str] =
    &["assist", "help", "proceed", "check", "investigate", "look", "locate", "assistance"];
const SERVED: &[&str] = &["him", "her", "them", "into", "with"];
/// Verbs of a contact whose past isn't their stem with "ed".
const IRREGULAR: &[&str] = &[
    "bought", "lost", "paid", "sent", "got", "left", "made", "found", "took", "went", "had",
    "spent", "sold", "brought",
];
const SUBJECT_REACH: usize = 4;
/// Words behind the verb in which its object stands.
const OBJECT_REACH: usize = 5;

const BE: &[&str] = &["is", "are", "was", "were", "be", "been", "being", "feels", "felt", "got"];
const ADVERBS: &[&str] =
    &["not", "so", "very", "really", "also", "still", "now", "been", "quite", "just"];
const OBJECTS: &[&str] = &["him", "her", "them", "the", "customer", "agent"];

static ASKS: LazyLock<HashSet<String>> = LazyLock::new(|| forms(ASK));
static SAYS: LazyLock<HashSet<String>> = LazyLock::new(|| forms(SAY));
static REQUESTS: LazyLock<HashSet<String>> = LazyLock::new(|| forms(REQUEST));
static OF_AGENTS: LazyLock<HashSet<String>> = LazyLock::new(|| forms(USUAL_OF_AGENTS));
static OF_CUSTOMERS: LazyLock<HashSet<String>> = LazyLock::new(|| forms(USUAL_OF_CUSTOMERS));
static FEELS: LazyLock<HashSet<String>> = LazyLock::new(|| forms(FEEL));
static HELPS: LazyLock<HashSet<String>> = LazyLock::new(|| forms(HELP));

fn forms(verbs: &str) -> HashSet<String> {
    let mut all = HashSet::new();
    for verb in verbs.split('/') {
        let mut words = verb.split_whitespace();
        let Some(verb) = words.next() else { continue };
        all.extend(words.map(str::to_owned));
        let stem = verb.strip_suffix('e').unwrap_or(verb);
        all.insert(verb.to_owned());
        all.insert(format!("{stem}ing"));
        match verb.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o'])) {
            Some(stem) => {
                all.insert(format!("{stem}ies"));
                all.insert(format!("{stem}ied"));
            }
            None => {
                all.insert(format!("{verb}s"));
                all.insert(format!("{stem}ed"));
            }
        }
    }
    all
}

pub(super) fn is_asking(lower: &str) -> bool {
    ASKS.contains(lower)
}

pub(super) fn is_telling(lower: &str) -> bool {
    SAYS.contains(lower)
}

fn lower(words: &[Word], at: usize) -> &str {
    words.get(at).map_or("", |word| word.lower.as_str())
}

fn any_of(words: &[Word], from: usize, reach: usize, of: &[&str]) -> bool {
    words.iter().skip(from).take(reach).any(|word| of.contains(&word.lower.as_str()))
}

/// The verb behind "is" and adverbs, or the adjective.
fn main_verb(words: &[Word], verb: usize) -> usize {
    let mut main = verb;
    if BE.contains(&lower(words, verb)) {
        main += 1;
        while ADVERBS.contains(&lower(words, main)) {
            main += 1;
        }
    }
    main
}

/// What the predicate behind the subject says; `verb` is its first word that is no adverb.
pub(super) fn does(words: &[Word], subject_end: usize, verb: usize) -> Does {
    let main = main_verb(words, verb);
    let word = lower(words, main);
    let is_object = |at: usize| OBJECTS.contains(&lower(words, at));
    // "would like"
    let likes = lower(words, verb) == "would" && lower(words, verb + 1) == "like";
    if FEELS.contains(word) || likes {
        let next = main + 1 + usize::from(likes);
        // "Wants to know", "wants them to": asks.
        let asks = (is_object(next) && any_of(words, next + 1, 2, &["to"]))
            || lower(words, next + 1) == "know";
        return if asks { Does::Say } else { Does::Feel };
    }
    if main > verb && MOODS.contains(&word) {
        return Does::Feel;
    }
    // "Has" may stand among the auxiliaries before the verb.
    let has = (subject_end..=main).find(|at| HAVE.contains(&lower(words, *at)));
    if has.is_some_and(|has| any_of(words, has + 1, OBJECT_REACH - 1, TROUBLES)) {
        return Does::Feel;
    }
    if SAYS.contains(word) {
        return Does::Say;
    }
    if HELPS.contains(word) && any_of(words, main + 1, OBJECT_REACH, HELPED_WITH) {
        return Does::Help;
    }
    Does::Do
}

/// The side of which the predicate is usually said; what isn't usual needs better sources.
pub(super) fn usual(words: &[Word], verb: usize, does: Does) -> Option<Side> {
    let main = main_verb(words, verb);
    let word = lower(words, main);
    match does {
        Does::Feel => Some(Side::Customer),
        Does::Help => Some(Side::Agent),
        Does::Do => None,
        Does::Say if OF_AGENTS.contains(word) => Some(Side::Agent),
        Does::Say if OF_CUSTOMERS.contains(word) => Some(Side::Customer),
        Does::Say if REQUESTS.contains(word) => {
            let asks_for_advice = matches!(lower(words, main + 1), "how" | "why");
            let side = if asks_for_advice { Side::Customer } else { Side::Agent };
            (asks_for_advice || has_purpose(words, main)).then_some(side)
        }
        Does::Say => None,
    }
}

/// What an agent asks for: "in order to assist", "to look into it", "for further assistance".
fn has_purpose(words: &[Word], main: usize) -> bool {
    let behind = words.get(main..).unwrap_or_default();
    let serves = |word: &Word| SERVICE.contains(&word.lower.as_str());
    behind.windows(3).any(|three| {
        let (first, second, third) = (three[0].lower.as_str(), three[1].lower.as_str(), &three[2]);
        match (first, second) {
            ("order", "to") | ("for", "further") => serves(third),
            (_, "better" | "further") => serves(&three[0]),
            ("to", _) => serves(&three[1]) && SERVED.contains(&third.lower.as_str()),
            _ => false,
        }
    })
}

/// The verb of what the subject did; a passive has none.
pub(super) fn deed(words: &[Word], verb: usize, does: Does) -> Option<usize> {
    let word = words.get(verb)?;
    let is_plain = does == Does::Do
        && matches!(word.part, Part::Content | Part::Light)
        && (word.lower.ends_with("ed")
            || word.lower.ends_with('s')
            || IRREGULAR.contains(&word.lower.as_str()));
    is_plain.then_some(verb)
}

/// Who is the subject of a verb that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Speaker,
    Hearer,
}

/// "I've just missed it", "you missed it", and "missed it" at the beginning, without an "I".
pub(super) fn subject_of(words: &[Word], verb: usize, claimed: &str) -> Option<Subject> {
    let clause = words[verb].clause;
    let before = words[..verb].iter().rev().take_while(|word| word.clause == clause);
    for word in before.take(SUBJECT_REACH) {
        match word.lower.as_str() {
            "i" | "ive" | "im" | "id" | "we" | "weve" | "wed" => {
                return Some(Subject::Speaker);
            }
            "you" | "youve" | "youre" | "u" | "youd" => return Some(Subject::Hearer),
            "have" | "had" | "just" | "already" | "also" | "only" | "never" | "not" | "did"
            | "didnt" | "havent" | "still" => {}
            other if other.ends_with("ly") => {}
            _ => return None,
        }
    }
    (verb == 0 && words[verb].lower == claimed && words[verb].lower.ends_with("ed"))
        .then_some(Subject::Speaker)
}
