//! Altered sentences: one thing in a true sentence is changed, so that it isn't true any more.

use std::collections::{BTreeSet, HashSet};

use super::chance::Chance;
use super::data::Dialogue;
use super::retell::Retold;
use crate::domain::{number_of, number_words};

pub const KINDS: [&str; 10] = [
    "number",
    "code",
    "date",
    "unit",
    "name",
    "negation",
    "speaker",
    "invention",
    "detail",
    "opposite",
];

/// Words that exclude each other.
const DATES: [&[&str]; 4] = [
    &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    &[
        "January",
        "February",
        "April",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    &["today", "tomorrow", "yesterday"],
    &["morning", "afternoon", "evening"],
];
const UNITS: [&[&str]; 3] = [
    &["minutes", "hours", "days", "weeks", "months", "years"],
    &["minute", "hour", "day", "week", "month", "year"],
    &["pounds", "dollars", "euros"],
];
const OPPOSITES: &[(&str, &str)] = &[
    ("before", "after"),
    ("more", "less"),
    ("always", "never"),
    ("first", "last"),
    ("open", "closed"),
    ("early", "late"),
    ("big", "small"),
    ("high", "low"),
    ("new", "old"),
    ("good", "bad"),
    ("right", "wrong"),
    ("cheap", "expensive"),
    ("easy", "difficult"),
    ("same", "different"),
    ("better", "worse"),
    ("with", "without"),
    ("cancelled", "confirmed"),
    ("working", "broken"),
    ("happy", "angry"),
    ("inside", "outside"),
];
/// Verbs that take a "not".
const AUXILIARIES: &[&str] = &[
    "is", "are", "was", "were", "can", "could", "will", "would", "should", "has", "have", "had",
    "does", "did", "do",
];
const DENIED: &[(&str, &str)] = &[
    ("isn't", "is"),
    ("aren't", "are"),
    ("wasn't", "was"),
    ("weren't", "were"),
    ("can't", "can"),
    ("cannot", "can"),
    ("couldn't", "could"),
    ("won't", "will"),
    ("wouldn't", "would"),
    ("shouldn't", "should"),
    ("hasn't", "has"),
    ("haven't", "have"),
    ("hadn't", "had"),
    ("doesn't", "does"),
    ("didn't", "did"),
    ("don't", "do"),
];
/// What a writer might make up about a contact, and about a meeting.
const DETAILS: &[&str] = &[
    "and was offered a voucher of ten percent",
    "because the warehouse had been flooded",
    "and a supervisor promised to phone back before noon",
    "after the technician had cut the wrong cable",
    "and asked for compensation from the insurer",
    "because the password had been stolen",
    "and the subscription was upgraded to the platinum tariff",
    "which had already been reported to the police",
    "and an apology will be published in the newspaper",
    "because a colleague had mistyped the postcode",
    "and a courier will collect the faulty device",
    "which broke during the thunderstorm",
    "and the membership fee was waived",
    "because the invoice had been mailed to a neighbour",
    "and threatened to hire a lawyer",
];
const DETAILS_OF_MEETINGS: &[&str] = &[
    "because the supplier had raised the prices",
    "and the budget was cut by the board",
    "which a competitor had already patented",
    "because the laboratory had burned down",
    "and the deadline was postponed until winter",
    "after the factory in Poland had closed",
    "and a consultant will be hired for that",
    "because the customs had seized the samples",
    "and the lawyers have to approve it",
    "which won an award at the fair",
];

/// What is said in a conversation, and what could have been said instead.
pub struct Said {
    words: HashSet<String>,
    numbers: HashSet<String>,
    text: String,
    is_meeting: bool,
}

impl Said {
    pub fn of(dialogue: &Dialogue) -> Self {
        let turns = &dialogue.material.turns;
        let names = turns.iter().filter_map(|turn| turn.party.name.as_deref());
        let texts = turns.iter().map(|turn| turn.text.as_str()).chain(names);
        let text: String = texts.map(|text| text.to_lowercase().replace('’', "'") + " ").collect();
        let words: HashSet<String> =
            text.split(|c: char| !c.is_alphanumeric() && c != '\'').map(str::to_owned).collect();
        let digits = text.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
        let mut numbers: HashSet<String> =
            digits.map(|number| number.trim_matches(['.', ',']).replace(',', "")).collect();
        numbers.extend(words.iter().filter_map(|word| number_of(word)).map(|n| n.to_string()));
        let is_meeting = turns.iter().any(|turn| turn.party.name.is_some());
        Self { words, numbers, text, is_meeting }
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word.to_lowercase())
    }

    /// Long words of a sentence that were never said, and how many long words it has.
    fn unsaid(&self, sentence: &str) -> (usize, usize) {
        let long: BTreeSet<String> = sentence
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() >= 5)
            .map(str::to_lowercase)
            .filter(|word| {
                !matches!(
                    word.as_str(),
                    "customer"
                        | "agent"
                        | "explained"
                        | "reported"
                        | "stated"
                        | "complained"
                        | "informed"
                        | "mentioned"
                        | "noted"
                )
            })
            .collect();
        let stems = long.iter().map(|word| &word[..word.len().min(5)]);
        let unsaid = stems.filter(|stem| word_boundary(stem) && !self.text.contains(stem)).count();
        (unsaid, long.len())
    }
}

fn word_boundary(stem: &str) -> bool {
    stem.is_ascii()
}

/// Names of a whole data set: words that are written with a capital only.
pub fn names_of(dialogues: &[Dialogue]) -> Vec<String> {
    let (mut capital, mut small) = (BTreeSet::new(), HashSet::new());
    for turn in dialogues.iter().flat_map(|dialogue| &dialogue.material.turns) {
        let text = turn.text.as_str();
        let mut begins = true;
        for word in text.split_whitespace() {
            let core = word.trim_matches(|c: char| !c.is_alphanumeric());
            let plain = core.len() >= 4 && core.bytes().all(|byte| byte.is_ascii_alphabetic());
            let shape = core.chars().next().is_some_and(char::is_uppercase)
                && core.chars().skip(1).all(char::is_lowercase);
            if plain
                && shape
                && !begins
                && core.len() == word.trim_end_matches(['.', ',', '!', '?']).len()
            {
                capital.insert(core.to_owned());
            }
            if core.chars().next().is_some_and(char::is_lowercase) {
                small.insert(core.to_owned());
            }
            begins = word.ends_with(['.', '!', '?', ':', '-']);
        }
    }
    let dated =
        |name: &String| DATES.iter().flat_map(|group| group.iter()).any(|date| date == name);
    capital
        .into_iter()
        .filter(|name| !small.contains(&name.to_lowercase()) && !dated(name))
        .collect()
}

/// One alteration of the given kind, if the sentence has something to alter.
pub fn alter(
    kind: &str,
    from: &Retold,
    said: &Said,
    names: &[String],
    others: &[String],
    chance: &mut Chance,
) -> Option<String> {
    match kind {
        "number" => one_word(from, chance, |word, chance| number(word, said, chance)),
        "code" => one_word(from, chance, |word, chance| code(word, said, chance)),
        "date" => one_word(from, chance, |word, chance| of_groups(&DATES, word, said, chance)),
        "unit" => one_word(from, chance, |word, chance| of_groups(&UNITS, word, said, chance)),
        "name" => one_word(from, chance, |word, chance| name(word, said, names, chance)),
        "opposite" => one_word(from, chance, |word, _| opposite(word, said)),
        "negation" => negation(from),
        "speaker" => speaker(from, others, chance),
        "detail" => detail(from, said, chance),
        _ => None,
    }
}

/// A sentence of another conversation that can't be about this one.
pub fn is_foreign(sentence: &str, said: &Said) -> bool {
    let (unsaid, long) = said.unsaid(sentence);
    unsaid >= 3 && unsaid * 10 >= long * 6
}

/// Replaces one word, chosen among those that `change` has something for.
fn one_word(
    from: &Retold,
    chance: &mut Chance,
    change: impl Fn(&str, &mut Chance) -> Option<String>,
) -> Option<String> {
    let words: Vec<&str> = from.text.split(' ').collect();
    let head = from.speaker.as_ref().map_or(1, |speaker| speaker.split(' ').count() + 1);
    let mut places: Vec<usize> = (head.min(words.len())..words.len()).collect();
    chance.shuffle(&mut places);
    places.into_iter().find_map(|place| {
        let core = words[place].trim_matches(|c: char| matches!(c, '.' | ',' | '!' | ';' | ':'));
        let new = change(core, chance)?;
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        words[place] = words[place].replacen(core, &new, 1);
        Some(words.join(" "))
    })
}

fn number(word: &str, said: &Said, chance: &mut Chance) -> Option<String> {
    let spoken = number_of(&word.to_lowercase()).filter(|number| *number >= 2);
    let (before, digits, after) = match spoken {
        Some(number) => ("", number.to_string(), ""),
        None => {
            let before = word.len() - word.trim_start_matches(['£', '$', '€']).len();
            let after = word.trim_end_matches('%').len();
            (&word[..before], word.get(before..after)?.replace(',', ""), &word[after..])
        }
    };
    let value: u64 =
        digits.parse().ok().filter(|_| digits.len() <= 4 && !digits.starts_with('0'))?;
    let mut new = vec![
        value + 1,
        value + 2,
        value + 3,
        value * 2,
        value + 10,
        value * 10,
        value.saturating_sub(1),
    ];
    if value >= 10 {
        new.push(digits.chars().rev().collect::<String>().parse().ok()?);
    }
    chance.shuffle(&mut new);
    let new = new
        .into_iter()
        .find(|new| *new > 1 && *new != value && !said.numbers.contains(&new.to_string()))?;
    match (spoken, u8::try_from(new)) {
        (Some(_), Ok(new @ 0..100)) => Some(number_words(new)),
        (Some(_), _) => None,
        _ => Some(format!("{before}{new}{after}")),
    }
}

fn code(word: &str, said: &Said, chance: &mut Chance) -> Option<String> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let mixed = word.bytes().any(|byte| byte.is_ascii_alphabetic())
        || word.matches('.').count() >= 2
        || digits > 4;
    let suffix =
        ["st", "nd", "rd", "th", "am", "pm"].iter().any(|end| word.to_lowercase().ends_with(end));
    if digits == 0 || !mixed || suffix || !word.is_ascii() {
        return None;
    }
    let at = word.bytes().rposition(|byte| byte.is_ascii_digit())?;
    let digit = usize::from(word.as_bytes()[at] - b'0');
    let new = (digit + 1 + chance.below(8)) % 10;
    let altered = format!("{}{new}{}", &word[..at], &word[at + 1..]);
    (!said.text.contains(&altered.to_lowercase())).then_some(altered)
}

fn of_groups(groups: &[&[&str]], word: &str, said: &Said, chance: &mut Chance) -> Option<String> {
    let group = groups.iter().find(|group| group.contains(&word))?;
    let stem = |word: &str| word.trim_end_matches('s').to_lowercase();
    let others: Vec<&&str> = group
        .iter()
        .filter(|other| {
            **other != word && !said.has(other) && !said.text.contains(&format!(" {}", stem(other)))
        })
        .collect();
    chance.pick(&others).map(|other| (**other).to_owned())
}

fn name(word: &str, said: &Said, names: &[String], chance: &mut Chance) -> Option<String> {
    let bare = word.strip_suffix("'s").unwrap_or(word);
    names.binary_search(&bare.to_owned()).ok()?;
    for _ in 0..20 {
        let new = chance.pick(names)?;
        if !said.text.contains(&new.to_lowercase()) {
            return Some(word.replacen(bare, new, 1));
        }
    }
    None
}

fn opposite(word: &str, said: &Said) -> Option<String> {
    let pair = OPPOSITES.iter().find(|(a, b)| *a == word || *b == word)?;
    let other = if pair.0 == word { pair.1 } else { pair.0 };
    (!said.has(other)).then(|| other.to_owned())
}

/// Denies what is affirmed or affirms what is denied, where there is one verb to do it with.
fn negation(from: &Retold) -> Option<String> {
    let words: Vec<&str> = from.text.split(' ').collect();
    let lower: Vec<String> =
        words.iter().map(|word| word.trim_matches([',', '.']).to_lowercase()).collect();
    let denied = |word: &String| DENIED.iter().find(|(short, _)| short == word);
    let others = [
        "not", "no", "never", "nothing", "nobody", "none", "without", "only", "neither", "any",
        "if", "unless", "nor",
    ];
    let denials: Vec<usize> = (0..lower.len()).filter(|at| denied(&lower[*at]).is_some()).collect();
    if lower.iter().any(|word| others.contains(&word.as_str())) || denials.len() > 1 {
        return None;
    }
    let mut new: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    if let [at] = denials[..] {
        let (_, plain) = denied(&lower[at])?;
        new[at] = (*plain).to_owned();
        return Some(new.join(" "));
    }
    let short = |word: &str| word.contains('\'') && !word.ends_with("'s");
    let verbs: Vec<usize> = (1..lower.len())
        .filter(|at| AUXILIARIES.contains(&lower[*at].as_str()) || short(&lower[*at]))
        .collect();
    let [at] = verbs[..] else { return None };
    let last = at + 1 >= lower.len();
    // "have to", "do that": no auxiliary here.
    let auxiliary = AUXILIARIES.contains(&lower[at].as_str())
        && !last
        && (lower[at + 1].ends_with("ed")
            || !matches!(lower[at].as_str(), "have" | "has" | "had" | "do" | "does" | "did"));
    if !auxiliary {
        return None;
    }
    new[at] = format!("{} not", words[at]);
    Some(new.join(" "))
}

/// Says that it was somebody else.
fn speaker(from: &Retold, others: &[String], chance: &mut Chance) -> Option<String> {
    let speaker = from.speaker.as_ref()?;
    let mentions = from.text.to_lowercase();
    let both = mentions.contains("customer") && mentions.contains("agent");
    if from.kind == "abstract" && both {
        return None;
    }
    let swapped = match speaker.to_lowercase().as_str() {
        "the customer" => "The agent".to_owned(),
        "customer" => "Agent".to_owned(),
        "the agent" => "The customer".to_owned(),
        "agent" => "Customer".to_owned(),
        _ => {
            let others: Vec<&String> = others.iter().filter(|other| *other != speaker).collect();
            (*chance.pick(&others)?).clone()
        }
    };
    let rest = &from.text[speaker.len()..];
    let rest = match (
        rest.strip_prefix(" told the agent that"),
        rest.strip_prefix(" told the customer that"),
    ) {
        (Some(tail), _) => format!(" told the customer that{tail}"),
        (_, Some(tail)) => format!(" told the agent that{tail}"),
        _ => rest.replacen(" informed the customer that", " stated that", 1),
    };
    Some(format!("{swapped}{rest}"))
}

fn detail(from: &Retold, said: &Said, chance: &mut Chance) -> Option<String> {
    let details = if said.is_meeting { DETAILS_OF_MEETINGS } else { DETAILS };
    let detail = chance.pick(details)?;
    let (unsaid, long) = said.unsaid(detail);
    (unsaid >= 2 && unsaid * 3 >= long * 2)
        .then(|| format!("{}, {detail}.", from.text.trim_end_matches('.')))
}
