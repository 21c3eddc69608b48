//! Short inventions: a noun of the conversation with a predicate that nobody said.
//!
//! One noun carries a short sentence, so these show whether its verb is looked for. They are made after
//! all others and counted apart, which leaves the sentences and figures of the other kinds as they were.

use super::chance::Chance;
use super::data::{Dialogue, Item};

pub const KIND: &str = "short_invention";

struct Deed {
    base: &'static str,
    past: &'static str,
    /// How words begin that say the same.
    alike: &'static [&'static str],
}

const fn deed(base: &'static str, past: &'static str, alike: &'static [&'static str]) -> Deed {
    Deed { base, past, alike }
}

const DEEDS: &[Deed] = &[
    deed("approve", "approved", &["approv", "accept", "authori", "grant", "allow", "agree"]),
    deed("cancel", "cancelled", &["cancel", "terminat", "ended", "ending", "clos", "stop"]),
    deed("refund", "refunded", &["refund", "reimburs", "repa", "credit", "back", "return"]),
    deed("replace", "replaced", &["replac", "swap", "chang", "exchang"]),
    deed("reject", "rejected", &["reject", "declin", "refus", "den"]),
    deed(
        "repair",
        "repaired",
        &["repair", "fix", "mend", "resolv", "solv", "solution", "sort", "restor"],
    ),
    deed("pay", "paid", &["pay", "paid", "charg", "bill", "cost", "debit", "deduct"]),
    deed("waive", "waived", &["waiv", "remov", "drop", "lift"]),
    deed("renew", "renewed", &["renew", "exten"]),
    deed("deliver", "delivered", &["deliver", "bring", "brought", "arriv"]),
    deed("upgrade", "upgraded", &["upgrad"]),
    deed("inspect", "inspected", &["inspect", "check", "look", "examin", "review"]),
    deed("destroy", "destroyed", &["destroy", "broke", "break", "ruin"]),
    deed("sell", "sold", &["sell", "sold", "sale"]),
];

/// A noun stands between one of these and one of those.
const BEFORE: &[&str] = &["the", "your", "my", "our", "a", "an", "this"];
const BEHIND: &[&str] = &[
    "is", "was", "has", "will", "on", "for", "to", "in", "at", "from", "and", "of", "with", "or",
    "by", "that",
];
const NO_NOUNS: &[&str] = &[
    "other",
    "whole",
    "first",
    "second",
    "third",
    "right",
    "same",
    "left",
    "next",
    "last",
    "moment",
    "minute",
    "morning",
    "evening",
    "afternoon",
    "way",
    "lot",
    "bit",
    "fact",
    "most",
    "rest",
    "only",
];
const CHARS_MIN: usize = 4;

/// Up to so many about one conversation; fewer where everything was said.
pub fn inventions(dialogue: &Dialogue, at: usize, most: usize, seed: u64) -> Vec<Item> {
    let mut chance = Chance::new(seed, &format!("short {}", dialogue.id));
    let turns = &dialogue.material.turns;
    let text: String =
        turns.iter().map(|turn| format!(" {}", turn.text.as_str().to_lowercase())).collect();
    let is_said = |deed: &Deed| {
        let words = text.split(|c: char| !c.is_alphanumeric());
        let mut words = words.filter(|word| !word.is_empty());
        words.any(|word| deed.alike.iter().any(|begins| word.starts_with(begins)))
    };
    let mut deeds: Vec<&Deed> = DEEDS.iter().filter(|deed| !is_said(deed)).collect();
    chance.shuffle(&mut deeds);
    let mut nouns: Vec<(String, String)> = Vec::new();
    for turn in turns {
        for noun in nouns_of(turn.text.as_str()) {
            if nouns.iter().all(|(known, _)| *known != noun) {
                nouns.push((noun, turn.id.as_str().to_owned()));
            }
        }
    }
    chance.shuffle(&mut nouns);
    let is_meeting = turns.iter().any(|turn| turn.party.name.is_some());
    let pairs = nouns.into_iter().zip(deeds).take(most).enumerate();
    pairs
        .map(|(number, ((noun, turn), deed))| {
            let sentence = sentence(&noun, deed, is_meeting, &mut chance);
            let cites = if chance.percent(50) { vec![turn] } else { Vec::new() };
            Item {
                id: format!("{}/short-{}", dialogue.id, number + 1),
                dialogue: at,
                sentence,
                cites,
                supported: false,
                kind: KIND.to_owned(),
            }
        })
        .collect()
}

fn sentence(noun: &str, deed: &Deed, is_meeting: bool, chance: &mut Chance) -> String {
    let whose = if is_meeting { "the" } else { "your" };
    let opening = if is_meeting { "The" } else { "Your" };
    let (base, past) = (deed.base, deed.past);
    match chance.below(6) {
        0 | 1 => format!("{opening} {noun} was {past}."),
        2 => format!("{opening} {noun} has been {past}."),
        3 => format!("We {past} {whose} {noun}."),
        4 => format!("We have {past} {whose} {noun}."),
        _ => format!("We will {base} {whose} {noun}."),
    }
}

fn nouns_of(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = Vec::new();
    for at in 1..words.len() {
        let word = words[at].trim_end_matches(['.', ',', '?', '!', ';']);
        let plain = word.len() >= CHARS_MIN && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let ends = ["ing", "ed", "ly", "est", "ous", "ful", "ive", "al", "ble", "ern", "ish"];
        let is_noun =
            plain && !NO_NOUNS.contains(&word) && !ends.iter().any(|end| word.ends_with(end));
        let is_opened = BEFORE.contains(&words[at - 1].to_lowercase().as_str());
        let is_closed = word.len() < words[at].len()
            || words.get(at + 1).is_none_or(|next| BEHIND.contains(&next.to_lowercase().as_str()));
        if is_noun && is_opened && is_closed {
            found.push(word.to_owned());
        }
    }
    found
}
