//! Is there something to answer in what was just said?
//!
//! A turn is cut into sentences; greetings, thanks, spelling and identity are set aside; what is
//! left is a question, a request, a need (something is broken, somebody is leaving) or a plain
//! statement. The rules are about English conversation, never about a subject: subjects are the
//! knowledge base's business, and `abstain` weighs both.

use super::phrases::{
    ALL_WELL, ASKS_IDENTITY, ASKS_WHO, CALENDAR, COURTESY, IDENTITY, KNOWS_NOTHING, LOOKUPS,
    OPENERS, QUESTION_MARKS, QUESTION_OPENERS, READS_OUT, REQUEST_MARKS, TROUBLE,
};
use crate::domain::Role;
use crate::knowledge::{spoken, terms};

/// What a speaker does with a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Question,
    Request,
    /// Something is wrong or about to change.
    Need,
    Statement,
    /// Too little to tell, such as "only on Sundays": it leans on what was said before.
    Remark,
    /// The agent says that they look something up.
    Lookup,
}

impl Act {
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Question => "asked about:",
            Self::Request => "wants:",
            Self::Need | Self::Statement | Self::Remark => "said:",
            Self::Lookup => "looks up:",
        }
    }
}

/// Something to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub act: Act,
    /// The sentence that asks.
    pub focus: String,
    /// What else the turn says.
    pub around: String,
}

impl Trigger {
    /// A typed question: all of it is the question.
    pub fn asked(question: &str) -> Self {
        Self { act: Act::Question, focus: question.trim().to_owned(), around: String::new() }
    }
}

/// What a turn holds.
pub(super) struct Heard {
    pub trigger: Option<Trigger>,
    /// The turn without small talk, for later questions to lean on.
    pub content: String,
    /// An agent asks who or where the customer is.
    pub asks_identity: bool,
    /// Somebody says that they don't know.
    pub knows_nothing: bool,
}

/// Hears a turn. Customers are answered; of an agent's words only a look-up triggers.
pub(super) fn listen(role: Role, text: &str) -> Heard {
    let mut heard: Vec<(Act, String)> = Vec::new();
    for sentence in split(text) {
        if let Some(act) = act(&sentence, role) {
            heard.push((act, sentence));
        }
    }
    let content = heard.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ");
    let trigger = match role {
        Role::Agent | Role::Supervisor | Role::Bot | Role::Expert => {
            heard.iter().find(|(act, _)| *act == Act::Lookup).map(|(act, text)| Trigger {
                act: *act,
                focus: after_lookup(text),
                around: String::new(),
            })
        }
        Role::Customer | Role::Mixed => focus(&heard),
    };
    let trigger = trigger.and_then(|trigger| {
        let remark = Trigger { act: Act::Remark, ..trigger.clone() };
        [trigger, remark].into_iter().find(is_worth_a_search)
    });
    let trigger = trigger.filter(|trigger| role == Role::Customer || trigger.act != Act::Remark);
    let padded = format!(" {} ", terms::words(text).join(" "));
    let has =
        |phrases: &[&str]| phrases.iter().any(|phrase| padded.contains(&format!(" {phrase} ")));
    let asks_identity = role != Role::Customer && has(ASKS_WHO);
    Heard { trigger, content, asks_identity, knows_nothing: has(KNOWS_NOTHING) }
}

/// The last question; else the last request; else all needs; else everything.
fn focus(heard: &[(Act, String)]) -> Option<Trigger> {
    let last = |wanted| heard.iter().rposition(|(act, _)| *act == wanted);
    let join = |keep: &dyn Fn(usize) -> bool| {
        let kept = heard.iter().enumerate().filter(|(at, _)| keep(*at));
        kept.map(|(_, (_, text))| text.as_str()).collect::<Vec<_>>().join(" ")
    };
    if let Some(at) = last(Act::Question).or_else(|| last(Act::Request)) {
        let (act, focus) = heard[at].clone();
        return Some(Trigger { act, focus, around: join(&|other| other != at) });
    }
    let act = if last(Act::Need).is_some() { Act::Need } else { heard.last()?.0 };
    let focus = join(&|at| heard[at].0 == act);
    Some(Trigger { act, focus, around: join(&|at| heard[at].0 != act) })
}

fn is_worth_a_search(trigger: &Trigger) -> bool {
    let own = terms::terms(&trigger.focus).len();
    match trigger.act {
        // "Do you cover that?" leans on what was said before.
        Act::Question => terms::words(&trigger.focus).len() >= 3,
        Act::Request | Act::Need => own >= 1 && terms::words(&trigger.focus).len() >= 3,
        Act::Lookup => own >= 2,
        Act::Remark => own >= 1 && beyond_courtesy(&trigger.focus).len() >= 3,
        Act::Statement => own >= 2 && terms::words(&trigger.focus).len() >= 4,
    }
}

/// Cuts at full stops, question and exclamation marks. A decimal point doesn't end anything.
fn split(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut sentences = vec![String::new()];
    for (at, &c) in chars.iter().enumerate() {
        let sentence = sentences.last_mut().expect("starts with one; this is a bug");
        sentence.push(c);
        let ends = matches!(c, '.' | '?' | '!' | '…')
            && chars.get(at + 1).is_none_or(|next| next.is_whitespace());
        if ends {
            sentences.push(String::new());
        }
    }
    sentences.retain(|sentence| !sentence.trim().is_empty());
    sentences.iter().map(|sentence| sentence.trim().to_owned()).collect()
}

/// What the sentence does; `None` for small talk, identity and spelling.
fn act(sentence: &str, role: Role) -> Option<Act> {
    let words = terms::words(sentence);
    let padded = format!(" {} ", words.join(" "));
    let has =
        |phrases: &[&str]| phrases.iter().any(|phrase| padded.contains(&format!(" {phrase} ")));
    if tells_identity(&padded) || is_spelling(&words) || !has_subject(&padded) {
        return None;
    }
    if role != Role::Customer && has(ASKS_IDENTITY) {
        return None;
    }
    if role == Role::Agent && has(LOOKUPS) {
        return Some(Act::Lookup);
    }
    let opened = without_openers(&words);
    let opens = opened.first().is_some_and(|word| QUESTION_OPENERS.contains(&word.as_str()));
    if sentence.ends_with('?') || opens || has(QUESTION_MARKS) {
        return Some(Act::Question);
    }
    if has(ALL_WELL) {
        return None;
    }
    if has(REQUEST_MARKS) {
        return Some(Act::Request);
    }
    if opened.iter().any(|word| TROUBLE.contains(&word.as_str())) {
        return Some(Act::Need);
    }
    Some(Act::Statement)
}

/// Whether it says who or where somebody is: the words that do so stand behind the phrase, and
/// "I don't know what the password is" has none.
fn tells_identity(padded: &str) -> bool {
    IDENTITY.iter().any(|phrase| {
        let found = padded.find(&format!(" {phrase} ")).map(|at| at + phrase.len() + 2);
        found.is_some_and(|behind| behind < padded.len() || phrase.starts_with("sp"))
    })
}

/// Whether anything is left after courtesy and openers.
fn has_subject(padded: &str) -> bool {
    let words = beyond_courtesy(padded);
    let rest = format!(" {} ", words.join(" "));
    // A question may consist of stop words only: "do you cover that", "when will it be".
    let asks = without_openers(&words).len() >= 2 && rest.trim().len() >= 8;
    let says = words.iter().any(|word| !terms::is_stop_word(word));
    says || (asks && QUESTION_MARKS.iter().any(|mark| rest.contains(&format!(" {mark} "))))
}

/// The words that are left when courtesy is taken out.
fn beyond_courtesy(text: &str) -> Vec<String> {
    let mut rest = format!(" {} ", terms::words(text).join(" "));
    for phrase in COURTESY {
        rest = rest.replace(&format!(" {phrase} "), " ");
    }
    rest.split_whitespace().map(str::to_owned).collect()
}

fn without_openers(words: &[String]) -> &[String] {
    let mut rest = words;
    loop {
        let skip = OPENERS.iter().find_map(|opener| {
            let parts: Vec<&str> = opener.split(' ').collect();
            let starts = rest.len() >= parts.len()
                && rest.iter().zip(&parts).all(|(word, part)| word == part);
            starts.then_some(parts.len())
        });
        match skip {
            Some(count) => rest = &rest[count..],
            None => return rest,
        }
    }
}

/// Postcodes, names letter by letter, account numbers, dates, mail addresses.
fn is_spelling(words: &[String]) -> bool {
    let is_mail = words.iter().any(|word| word == "dot")
        && words.iter().any(|word| matches!(word.as_str(), "at" | "com" | "co" | "net" | "org"));
    if is_mail {
        return true;
    }
    // "It says E five two one" reads a code from a screen.
    if words.iter().any(|word| READS_OUT.contains(&word.as_str())) {
        return false;
    }
    let is_piece = |word: &String| {
        (word.chars().count() == 1 && word != "i" && word != "a")
            || spoken::is_number(word)
            || CALENDAR.contains(&word.as_str())
            || (word.len() > 3 && (word.ends_with("teenth") || word.ends_with("tieth")))
    };
    let content: Vec<&String> =
        words.iter().filter(|word| is_piece(word) || !terms::is_stop_word(word)).collect();
    let pieces = content.iter().filter(|word| is_piece(word)).count();
    pieces >= 3 && pieces * 4 >= content.len() * 3
}

/// What is being looked up: the words behind the announcement.
fn after_lookup(sentence: &str) -> String {
    let words = terms::words(sentence);
    let padded = format!(" {} ", words.join(" "));
    let end = LOOKUPS
        .iter()
        .filter_map(|phrase| padded.find(&format!(" {phrase} ")).map(|at| at + phrase.len() + 1))
        .max();
    end.map_or_else(|| sentence.to_owned(), |end| padded[end..].trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(role: Role, text: &str) -> Option<Act> {
        listen(role, text).trigger.map(|trigger| trigger.act)
    }

    #[test]
    fn small_talk_and_spelling_trigger_nothing() {
        for text in [
            "Thanks very much for your help.",
            "hello",
            "Hi there, good morning",
            "Great. Thanks for your help.",
            "Yeah, it's six one four, two two nine, zero seven.",
            "It's L S six, three H B.",
            "yeah that's right",
            "Yes, it's Priya Raman, and the new postcode is M twenty, two R N.",
            "Okay. Thank you, George.",
            "My email is jo dot bloggs at example dot com.",
            "the fourteenth of march nineteen seventy two",
            "no, that's everything thank you",
            "can you hear me all right",
            "sorry, could you say that again",
            "It's O K A F O R",
            "mm hmm",
            "Hang on, one second please",
            "No, that's all. Thank you very much.",
        ] {
            assert_eq!(acts(Role::Customer, text), None, "{text}");
        }
        for text in [
            "Can I take your account number, please?",
            "Bear with me.",
            "Let me look into it.",
            "Thank you for calling Acme, you're speaking with Jo. How can I help?",
            "You're welcome. Goodbye.",
        ] {
            assert_eq!(acts(Role::Agent, text), None, "{text}");
        }
    }

    #[test]
    fn questions_requests_and_needs() {
        let check =
            |text: &str, expected| assert_eq!(acts(Role::Customer, text), Some(expected), "{text}");
        check("so when does the parcel come", Act::Question);
        check("Do you cover that?", Act::Question);
        check("I'd like to speak to somebody senior", Act::Request);
        check("the thing on the wall is blinking orange", Act::Need);
        check("my sister has the same package as me", Act::Statement);
        assert_eq!(
            acts(Role::Agent, "Bear with me while I check the delivery policy."),
            Some(Act::Lookup)
        );
    }

    #[test]
    fn the_question_is_the_focus_and_the_rest_stands_around_it() {
        let trigger = listen(Role::Customer, "Hi. It broke on Monday. Thanks. Who pays for that?")
            .trigger
            .unwrap();
        assert_eq!(trigger.focus, "Who pays for that?");
        assert_eq!(trigger.around, "It broke on Monday.");
    }
}
