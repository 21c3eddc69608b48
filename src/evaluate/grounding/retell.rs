//! True sentences: what somebody said, retold by rules.

use super::chance::Chance;
use super::data::Dialogue;
use crate::domain::{Role, Turn, number_of, number_words};
use crate::knowledge::sentences;

/// A sentence that is true of its conversation.
#[derive(Clone, Debug)]
pub struct Retold {
    pub text: String,
    pub cites: Vec<String>,
    pub kind: &'static str,
    /// The speaker as the sentence names them, where it does.
    pub speaker: Option<String>,
}

/// Statements begin with one of these; what begins otherwise may be an order or half a sentence.
const OPENERS: &[&str] = &[
    "i", "i'm", "i've", "i'd", "i'll", "we", "we're", "we've", "we'll", "we'd", "it", "it's", "my",
    "the", "this", "there", "there's", "your", "you", "you're", "you'll", "our", "he", "she",
    "his", "her", "some", "all", "every", "nobody", "someone", "no", "one", "two", "three",
];
const WORDS_MIN: usize = 6;
const WORDS_MAX: usize = 26;

/// How a speaker is named in a sentence: "The customer", "The Project Manager".
pub fn named(turn: &Turn) -> String {
    match (&turn.party.name, turn.party.role) {
        (Some(name), _) if name.starts_with("Person") => name.clone(),
        (Some(name), _) => format!("The {name}"),
        (None, role) => format!("The {}", role.as_str()),
    }
}

fn other(turn: &Turn) -> &'static str {
    match turn.party.role {
        Role::Customer => "the agent",
        Role::Agent => "the customer",
        _ => "the others",
    }
}

/// The plain sentences of a turn: no addresses, names of accounts, signatures, marks of parts.
pub fn plain(text: &str) -> Vec<String> {
    let text = text.replace('’', "'").replace("&amp;", "and");
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| {
            let part = word.len() == 3 && word.as_bytes()[1] == b'/';
            let noise = word.starts_with(['@', '^', '#']) || word.contains("http") || part;
            let filler =
                matches!(word.trim_matches([',', '.']), "um" | "Um" | "uh" | "Uh" | "mm" | "hmm");
            !noise && !filler
        })
        .collect();
    let text = words.join(" ");
    let sound = |sentence: &str| {
        let odd = |c: char| {
            !(c.is_ascii() || matches!(c, '£' | '€' | 'é' | '–'))
                || matches!(c, '"' | '(' | ')' | '[' | '_' | '/')
        };
        let words = sentence.split(' ').count();
        (WORDS_MIN..=WORDS_MAX).contains(&words)
            && !sentence.contains(odd)
            && !sentence.contains("..")
            && !sentence.contains('?')
            && sentence.chars().filter(|c| c.is_uppercase()).count() * 3 < sentence.len()
    };
    let found = sentences(&text).into_iter().map(|span| span.slice(&text).to_owned());
    found.filter(|sentence| sound(sentence)).collect()
}

/// Everything that can be retold of a conversation, turn by turn.
pub fn retell(dialogue: &Dialogue, chance: &mut Chance) -> Vec<Retold> {
    let mut retold = Vec::new();
    let mut before: Option<(Retold, usize)> = None;
    for (index, turn) in dialogue.material.turns.iter().enumerate() {
        for sentence in plain(turn.text.as_str()) {
            let first = sentence.split([' ', ',']).next().unwrap_or_default().to_lowercase();
            let cites = vec![turn.id.as_str().to_owned()];
            if !OPENERS.contains(&first.as_str()) {
                // What is quoted word by word is easily proven: not too much of it.
                if chance.percent(25) {
                    retold.push(Retold {
                        text: ended(&sentence),
                        cites,
                        kind: "extract",
                        speaker: None,
                    });
                }
                continue;
            }
            let speaker = named(turn);
            let statement = indirect(&sentence, turn, chance);
            let one = Retold {
                text: ended(&format!("{speaker} {} {statement}", verb(turn, chance))),
                cites: cites.clone(),
                kind: "reported",
                speaker: Some(speaker),
            };
            if let Some((earlier, at)) = before.take().filter(|_| chance.percent(35))
                && index - at <= 3
                && earlier.text.len() + one.text.len() < 260
            {
                let second = one.text.replacen("The ", "the ", 1);
                let text = format!("{}, and {second}", earlier.text.trim_end_matches('.'));
                let cites = earlier.cites.iter().chain(&cites).cloned().collect();
                retold.push(Retold { text, cites, kind: "merged", speaker: None });
            }
            before = Some((one.clone(), index));
            retold.push(one);
            if chance.percent(10) {
                retold.push(Retold {
                    text: ended(&sentence),
                    cites,
                    kind: "extract",
                    speaker: None,
                });
            }
        }
    }
    retold
}

/// Sentences of people's summaries that a machine can vouch for a little: each name and number in them
/// was said.
pub fn abstracts(dialogue: &Dialogue) -> Vec<Retold> {
    let said: String = dialogue
        .material
        .turns
        .iter()
        .map(|turn| turn.text.as_str().to_lowercase() + " ")
        .collect();
    let mut found: Vec<String> = Vec::new();
    for text in &dialogue.abstracts {
        for span in sentences(text) {
            let sentence = span.slice(text).split_whitespace().collect::<Vec<_>>().join(" ");
            let words: Vec<&str> = sentence.split(' ').collect();
            let telling = words.iter().skip(1).all(|word| {
                let core = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
                let exact = word.contains(|c: char| c.is_ascii_digit() || c.is_uppercase());
                !exact
                    || core.is_empty()
                    || said.contains(&core)
                    || matches!(core.as_str(), "dm" | "url" | "customer" | "agent")
            });
            if (WORDS_MIN..=40).contains(&words.len()) && telling && !found.contains(&sentence) {
                found.push(sentence);
            }
        }
    }
    let retold = found.into_iter().map(|sentence| {
        let lower = sentence.to_lowercase();
        let speaker = ["the customer", "customer", "the agent", "agent"]
            .into_iter()
            .find(|name| lower.starts_with(&format!("{name} ")))
            .map(|name| sentence[..name.len()].to_owned());
        Retold { text: ended(&sentence), cites: Vec::new(), kind: "abstract", speaker }
    });
    retold.collect()
}

fn ended(sentence: &str) -> String {
    let trimmed = sentence
        .trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '£' | '$' | '€'))
        .trim_end_matches(['.', '!', ' ', ',', '-']);
    let mut chars = trimmed.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn verb(turn: &Turn, chance: &mut Chance) -> String {
    let told = format!("told {} that", other(turn));
    let verbs: [&str; 5] = match turn.party.role {
        Role::Customer => {
            ["said that", "reported that", "explained that", "complained that", &told]
        }
        Role::Agent => {
            ["said that", "explained that", "informed the customer that", "stated that", &told]
        }
        _ => ["said that", "explained that", "mentioned that", "noted that", "stated that"],
    };
    (*chance.pick(&verbs).unwrap_or(&"said that")).to_owned()
}

/// In the third person, and numbers at times in words instead of digits or the other way round.
fn indirect(sentence: &str, turn: &Turn, chance: &mut Chance) -> String {
    let you = other(turn);
    let mut words: Vec<String> = Vec::new();
    let mut was_i = false;
    for (index, raw) in sentence.split(' ').enumerate() {
        let core = raw.trim_end_matches([',', '.', '!', ';', ':']);
        let tail = &raw[core.len()..];
        let lower = core.to_lowercase();
        let new = match lower.as_str() {
            "i" | "we" => "they".into(),
            "i'm" | "we're" => "they're".into(),
            "i've" | "we've" => "they've".into(),
            "i'd" | "we'd" => "they'd".into(),
            "i'll" | "we'll" => "they'll".into(),
            "my" | "our" => "their".into(),
            "me" | "us" => "them".into(),
            "mine" | "ours" => "theirs".into(),
            "myself" | "ourselves" => "themselves".into(),
            "am" if was_i => "are".into(),
            "was" if was_i => "were".into(),
            "you" => you.into(),
            "you're" => format!("{you} is"),
            "you've" => format!("{you} has"),
            "you'll" => format!("{you} will"),
            "you'd" => format!("{you} would"),
            "your" => format!("{you}'s"),
            "yours" => format!("{you}'s"),
            _ if index == 0 => lower.clone(),
            _ => other_way(core, chance).unwrap_or_else(|| core.to_owned()),
        };
        was_i = lower == "i";
        words.push(format!("{new}{tail}"));
    }
    words.join(" ")
}

fn other_way(core: &str, chance: &mut Chance) -> Option<String> {
    let small = core.parse::<u8>().ok().filter(|number| (2..100).contains(number));
    match (small, number_of(core)) {
        (Some(number), _) if !core.starts_with('0') && chance.percent(50) => {
            Some(number_words(number))
        }
        (None, Some(number)) if number >= 2 && chance.percent(50) => Some(number.to_string()),
        _ => None,
    }
}
