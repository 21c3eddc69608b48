//! Is there something to answer in what was just said?
//!
//! A turn is cut into sentences; greetings, thanks, spelling and identity are set aside; what is
//! left is a question, a request, a need (something is broken, somebody is leaving) or a plain
//! statement. The rules are about English conversation, never about a subject: subjects are the
//! knowledge base's business, and `abstain` weighs both.

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
    /// The agent says that they look something up.
    Lookup,
}

impl Act {
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Question => "asked about:",
            Self::Request => "wants:",
            Self::Need | Self::Statement => "said:",
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
}

/// Words that open a sentence and say nothing.
const OPENERS: &[&str] = &[
    "ah",
    "alright",
    "and",
    "anyway",
    "actually",
    "aye",
    "because",
    "basically",
    "but",
    "cool",
    "er",
    "erm",
    "fine",
    "great",
    "hello",
    "hey",
    "hi",
    "hm",
    "hmm",
    "honestly",
    "i mean",
    "like",
    "listen",
    "look",
    "lovely",
    "mm",
    "mhm",
    "no",
    "now",
    "of course",
    "oh",
    "ok",
    "okay",
    "perfect",
    "please",
    "right",
    "say",
    "so",
    "sorry",
    "sure",
    "thank you",
    "thanks",
    "then",
    "uh",
    "um",
    "well",
    "yeah",
    "yep",
    "yes",
    "you know",
    "you see",
    "just",
    "also",
    "good morning",
    "good afternoon",
    "good evening",
    "great",
    "brilliant",
    "cheers",
    "excellent",
    "wonderful",
];

/// Talk about the talk itself, courtesy and weather. A sentence is set aside when nothing with a
/// subject is left after these are taken out.
const COURTESY: &[&str] = &[
    "thank you very much",
    "thank you so much",
    "thank you for calling",
    "thank you for waiting",
    "thanks for waiting",
    "thank you for holding",
    "thank you",
    "thanks",
    "many thanks",
    "cheers",
    "bye bye",
    "bye",
    "goodbye",
    "take care",
    "have a good day",
    "have a nice day",
    "have a lovely day",
    "have a good weekend",
    "have a lovely weekend",
    "have a great day",
    "youre welcome",
    "you are welcome",
    "no worries",
    "no problem",
    "not a problem",
    "how can i help you today",
    "how can i help you",
    "how can i help",
    "how may i help you",
    "how may i help",
    "what can i do for you today",
    "what can i do for you",
    "is there anything else i can help with today",
    "is there anything else i can help with",
    "is there anything else i can do",
    "is there anything else",
    "anything else",
    "can you hear me all right",
    "can you hear me okay",
    "can you hear me",
    "could you say that again",
    "can you say that again",
    "say that again",
    "could you repeat that",
    "can you repeat that",
    "repeat that",
    "bear with me",
    "hang on",
    "hold on",
    "one moment",
    "one second",
    "just a moment",
    "just a second",
    "give me a second",
    "give me a moment",
    "ill pop you on hold",
    "put you on hold",
    "how are you today",
    "how are you doing",
    "how are you",
    "nice to meet you",
    "nice talking to you",
    "good morning",
    "good afternoon",
    "good evening",
    "good night",
    "hello",
    "thats all",
    "thats everything",
    "thats great",
    "thats fine",
    "thats right",
    "thats correct",
    "thats lovely",
    "thats brilliant",
    "thats perfect",
    "thats it",
    "thats very kind",
    "youve been very helpful",
    "youve been really helpful",
    "very helpful",
    "for your help",
    "for all your help",
    "all your help",
    "your help",
    "for calling",
    "for your time",
    "for your patience",
    "im sorry to hear that",
    "sorry to hear that",
    "im sorry about that",
    "sorry about that",
    "i understand",
    "i see",
    "i appreciate that",
    "i appreciate it",
    "no thats",
    "will do",
    "sounds good",
    "makes sense",
    "got it",
    "fair enough",
    "never mind",
    "speaking with",
    "speaking to",
    "carry on",
    "go ahead",
    "the lines a bit crackly",
    "lovely",
    "great",
    "brilliant",
    "perfect",
    "fantastic",
    "excellent",
    "wonderful",
    "okay",
    "today",
    "day",
    "welcome",
    "moment",
    "second",
    "congratulations",
    "talk to you soon",
    "speak to you soon",
    "speak soon",
    "see you",
    "would that work for you",
    "does that work for you",
    "does that make sense",
    "is that okay",
    "is that all right",
    "is that right",
];

/// Somebody says who or where they are. The sentence is set aside whole.
const IDENTITY: &[&str] = &[
    "my name is",
    "my names",
    "my full name is",
    "name on the account is",
    "names on the account",
    "my email is",
    "my email address is",
    "my e mail is",
    "email address is",
    "my postcode is",
    "the postcode is",
    "new postcode is",
    "post code is",
    "my address is",
    "the address is",
    "my account number is",
    "account number is",
    "my card number is",
    "card number is",
    "my phone number is",
    "my number is",
    "the number is",
    "my mobile number is",
    "my date of birth is",
    "date of birth is",
    "i was born",
    "my password is",
    "the password is",
    "reference is",
    "reference number is",
    "sort code is",
    "order number is",
    "spelled",
    "spelt",
];

/// Identity, which agents ask for and give.
const ASKS_IDENTITY: &[&str] = &[
    "your name",
    "your full name",
    "your surname",
    "your postcode",
    "your account number",
    "your date of birth",
    "your email address",
    "your phone number",
    "name on the account",
    "your address",
    "first line of",
    "can i take",
    "could i take",
    "can i get your",
    "could i have",
    "can i have",
    "may i have",
    "may i take",
    "can you confirm your",
    "could you confirm your",
    "youre speaking",
    "my name is",
    "this is",
    "speaking",
];

/// Anywhere in a sentence these mark a question, with or without a question mark.
const QUESTION_MARKS: &[&str] = &[
    "how much",
    "how long",
    "how many",
    "how do",
    "how can",
    "how does",
    "how quick",
    "how quickly",
    "how soon",
    "how far",
    "how often",
    "how is",
    "how are",
    "how would",
    "how come",
    "when do",
    "when does",
    "when will",
    "when can",
    "when is",
    "when are",
    "when would",
    "what do",
    "what does",
    "what if",
    "what happens",
    "what is",
    "whats",
    "what are",
    "what will",
    "what would",
    "what can",
    "what should",
    "what about",
    "what have",
    "whatll",
    "where do",
    "where is",
    "wheres",
    "where can",
    "where are",
    "where does",
    "which one",
    "why is",
    "why are",
    "why do",
    "why does",
    "why did",
    "why have",
    "why has",
    "why cant",
    "why was",
    "who do",
    "who can",
    "who is",
    "who should",
    "can i",
    "can you",
    "can we",
    "can my",
    "can someone",
    "can somebody",
    "can they",
    "could i",
    "could you",
    "could we",
    "could someone",
    "could somebody",
    "cant you",
    "couldnt you",
    "do you",
    "do i",
    "do we",
    "do they",
    "does it",
    "does that",
    "does the",
    "did you",
    "is there",
    "is it",
    "is that",
    "is this",
    "are there",
    "are you",
    "are we",
    "am i",
    "will i",
    "will you",
    "will it",
    "will that",
    "will we",
    "will they",
    "will my",
    "will someone",
    "would i",
    "would you",
    "would it",
    "would that",
    "would we",
    "should i",
    "should we",
    "shall i",
    "have you",
    "have i got",
    "am i able",
    "any chance",
    "what time",
    "is my",
    "are my",
    "do my",
    "for how long",
];

/// These words open a question.
const QUESTION_OPENERS: &[&str] = &[
    "who", "what", "when", "where", "why", "how", "which", "whats", "wheres", "whens", "hows",
    "whos", "can", "could", "do", "does", "did", "is", "are", "am", "will", "would", "should",
    "shall", "have", "has", "may",
];

const REQUEST_MARKS: &[&str] = &[
    "i want",
    "i need",
    "id like",
    "i would like",
    "id love",
    "we want",
    "we need",
    "wed like",
    "we would like",
    "i wanna",
    "i wish to",
    "let me talk",
    "let me speak",
    "put me through",
    "send me",
    "tell me",
    "help me",
    "show me",
    "give me",
    "i was hoping",
    "i was wondering",
    "im wondering",
    "im looking",
    "were looking",
    "im trying",
    "ive been trying",
    "i am trying",
    "im ringing to",
    "im calling to",
    "im ringing about",
    "im calling about",
    "im phoning",
    "wants to",
    "im after",
    "stop sending",
    "cancel my",
    "i dont want",
    "im interested",
    "im hoping",
];

/// Something is broken, missing, wrong, lost, or feared.
const TROUBLE: &[&str] = &[
    "not",
    "cant",
    "cannot",
    "wont",
    "doesnt",
    "didnt",
    "isnt",
    "arent",
    "wasnt",
    "havent",
    "hasnt",
    "never",
    "nobody",
    "noone",
    "nothing",
    "no",
    "without",
    "down",
    "broken",
    "broke",
    "fault",
    "faulty",
    "failed",
    "fails",
    "failing",
    "wrong",
    "missing",
    "missed",
    "lost",
    "stolen",
    "nicked",
    "robbed",
    "stopped",
    "stops",
    "dead",
    "slow",
    "slower",
    "slowly",
    "off",
    "error",
    "problem",
    "problems",
    "issue",
    "issues",
    "trouble",
    "twice",
    "double",
    "overcharged",
    "charged",
    "overdrawn",
    "bounced",
    "rejected",
    "declined",
    "blocked",
    "locked",
    "hacked",
    "scam",
    "scammed",
    "conned",
    "fraud",
    "dodgy",
    "suspicious",
    "flashing",
    "blinking",
    "red",
    "orange",
    "amber",
    "cutting",
    "cuts",
    "drops",
    "dropping",
    "dropped",
    "crackling",
    "noise",
    "stuck",
    "late",
    "delayed",
    "waiting",
    "waited",
    "still",
    "complain",
    "complaint",
    "unhappy",
    "unacceptable",
    "disgusted",
    "angry",
    "fed",
    "disappointed",
    "leave",
    "leaving",
    "cancel",
    "cancelling",
    "canceling",
    "switch",
    "switching",
    "moving",
    "move",
    "ringing",
    "died",
    "passed",
    "disabled",
    "deaf",
    "blind",
    "ill",
    "sick",
    "hospital",
    "vulnerable",
    "redundant",
    "struggling",
    "afford",
    "behind",
    "debt",
    "expensive",
    "unplugged",
    "damaged",
    "smashed",
    "chewed",
    "forgotten",
    "forgot",
    "expired",
    "increase",
    "increased",
    "risen",
    "gone",
    "higher",
    "extra",
    "unexpected",
    "mistake",
    "fee",
    "refund",
    "compensation",
    "changed",
    "upgrade",
    "downgrade",
    "going",
    "travelling",
    "traveling",
    "flying",
    "abroad",
    "swap",
    "swapped",
    "attorney",
    "behalf",
    "away",
    "cut",
    "keeps",
    "forever",
    "useless",
    "barely",
    "hardly",
    "only",
    "unable",
    "worse",
    "hot",
    "smell",
    "shock",
    "landed",
    "landing",
];

/// All is well: a sentence with one of these needs nothing.
const ALL_WELL: &[&str] = &[
    "working fine",
    "working now",
    "works now",
    "working again",
    "back on now",
    "all sorted",
    "sorted now",
    "came through",
    "was very polite",
    "was great",
    "was lovely",
    "was brilliant",
    "fixed now",
    "no problems",
    "all good",
    "no complaints",
    "ill check",
    "ill have a look",
];

/// An agent says that they look something up.
const LOOKUPS: &[&str] = &[
    "let me check",
    "let me just check",
    "let me look up",
    "let me just look up",
    "let me find",
    "let me see what",
    "let me see if",
    "let me see whether",
    "ill check",
    "ill just check",
    "ill look up",
    "ill find out",
    "im checking",
    "im just checking",
    "while i check",
    "while i look up",
    "while i look at",
    "while i find",
    "let me have a look at",
    "ill have a look at",
    "need to check",
    "have to check",
    "bring up the",
    "let me pull up",
    "find out about",
    "find out what",
];

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
    let trigger = trigger.filter(|trigger| is_worth_a_search(trigger));
    Heard { trigger, content }
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
    if has(IDENTITY) || is_spelling(&words) || !has_subject(&padded) || has(ALL_WELL) {
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
    if has(REQUEST_MARKS) {
        return Some(Act::Request);
    }
    if opened.iter().any(|word| TROUBLE.contains(&word.as_str())) {
        return Some(Act::Need);
    }
    Some(Act::Statement)
}

/// Whether anything is left after courtesy and openers.
fn has_subject(padded: &str) -> bool {
    let mut rest = padded.to_owned();
    for phrase in COURTESY {
        rest = rest.replace(&format!(" {phrase} "), " ");
    }
    let words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
    // A question may consist of stop words only: "do you cover that", "when will it be".
    let asks = without_openers(&words).len() >= 3 && rest.trim().len() > 10;
    let says = words.iter().any(|word| !terms::is_stop_word(word));
    says || (asks && QUESTION_MARKS.iter().any(|mark| rest.contains(&format!(" {mark} "))))
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

const READS_OUT: &[&str] = &[
    "error", "code", "says", "saying", "screen", "showing", "shows", "message", "displays", "fault",
];

const CALENDAR: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "double",
    "triple",
    "dash",
    "hyphen",
    "slash",
];

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
