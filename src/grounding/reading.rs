//! A text as the verifier reads it: words with stems, clauses and facts.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::facts::{self, Fact};
use super::{polarity, question};
use crate::insight::written::written;

/// What a word does in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Grammar: says nothing about the subject.
    Stop,
    /// What summaries say about any conversation: "the customer asked".
    Frame,
    /// A verb that says little: "get", "make".
    Light,
    Content,
}

impl Part {
    /// How much of a sentence's meaning the word carries.
    pub const fn weight(self) -> f32 {
        match self {
            Self::Stop | Self::Frame => 0.0,
            Self::Light => 0.3,
            Self::Content => 1.0,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Word {
    /// In the written form of the text.
    pub bytes: Range<usize>,
    /// Lower case, without apostrophes: `dont`.
    pub lower: String,
    pub stem: String,
    pub part: Part,
    pub capital: bool,
    /// The number of its clause.
    pub clause: usize,
    pub denied: polarity::Denied,
}

/// What was read in one sentence.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// Numbers, dates and addresses as people write them.
    pub text: String,
    pub words: Vec<Word>,
    pub facts: Vec<Fact>,
    pub is_question: bool,
    /// The first word that is asked; what stands before it is stated.
    pub asked_from: usize,
    /// Whether "I" or "we", and whether "you", is in it.
    pub persons: (bool, bool),
}

impl Reading {
    /// The word is part of a number, a date, a code.
    pub fn is_exact(&self, word: &Word) -> bool {
        self.facts
            .iter()
            .any(|fact| fact.bytes.start <= word.bytes.start && word.bytes.end <= fact.bytes.end)
    }

    /// Without stems, which are made for many sentences at once.
    pub fn of(text: &str) -> Self {
        let text = written(text);
        let mut words = words(&text);
        polarity::mark(&mut words);
        let facts = facts::read(&text);
        let is_question = text.trim_end_matches(['"', '”', '\'', '’', ' ']).ends_with('?');
        let asked_from = if is_question { question::asked_from(&words) } else { words.len() };
        let persons = persons_of(words.iter());
        Self { text, words, facts, is_question, asked_from, persons }
    }

    pub fn set_stems(readings: &mut [Self]) {
        let all: Vec<String> = readings
            .iter()
            .flat_map(|one| one.words.iter().map(|word| word.lower.clone()))
            .collect();
        let mut stems = crate::knowledge::terms::stem(&all).into_iter();
        for word in readings.iter_mut().flat_map(|one| &mut one.words) {
            let stem = stems.next().unwrap_or_default();
            word.stem = same_as(&word.lower).map_or(stem, str::to_owned);
        }
    }

    pub fn stemmed(text: &str) -> Self {
        let mut readings = [Self::of(text)];
        Self::set_stems(&mut readings);
        let [reading] = readings;
        reading
    }
}

const FIRST_PERSON: &[&str] = &[
    "i", "im", "ive", "id", "ill", "my", "me", "mine", "myself", "we", "weve", "wed", "our", "us",
];
const SECOND_PERSON: &[&str] = &["you", "your", "youre", "youve", "youll", "youd", "yours"];

/// Whether "I" or "we", and whether "you", is among the words.
pub(super) fn persons_of<'a>(words: impl Iterator<Item = &'a Word> + Clone) -> (bool, bool) {
    let says = |persons: &[&str]| words.clone().any(|word| persons.contains(&word.lower.as_str()));
    (says(FIRST_PERSON), says(SECOND_PERSON))
}

/// Words after which another clause begins.
const CLAUSE_OPENERS: &[&str] = &[
    "and", "but", "because", "although", "though", "while", "whereas", "unless", "if", "when",
    "which", "who", "that", "after", "before", "since", "until", "or",
];

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut clause = 0;
    let mut chars = text.char_indices().peekable();
    let mut begin = None;
    let mut previous_end = 0;
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let apostrophe = matches!(c, '\'' | '’' | '‘');
        let inside = c.is_alphanumeric()
            || (apostrophe && begin.is_some() && next.is_some_and(char::is_alphabetic))
            || (matches!(c, '.' | ',')
                && begin.is_some()
                && next.is_some_and(|next| next.is_ascii_digit())
                && text[..at].ends_with(|c: char| c.is_ascii_digit()));
        if inside && begin.is_none() {
            begin = Some(at);
        }
        let end = match (inside, next) {
            (true, None) => at + c.len_utf8(),
            (false, _) => at,
            _ => continue,
        };
        let Some(start) = begin.take() else { continue };
        let raw = &text[start..end];
        let lower: String = raw
            .chars()
            .filter(|c| !matches!(c, '\'' | '’' | '‘'))
            .flat_map(char::to_lowercase)
            .collect();
        let gap = &text[previous_end..start];
        let opener = CLAUSE_OPENERS.contains(&lower.as_str());
        if !words.is_empty()
            && (opener || gap.contains([',', ';', ':', '.', '!', '?', '(', '–', '—']))
        {
            clause += 1;
        }
        previous_end = end;
        if lower.is_empty() {
            continue;
        }
        words.push(Word {
            bytes: start..end,
            part: part_of(&lower),
            capital: raw.chars().any(char::is_uppercase),
            stem: String::new(),
            clause,
            denied: polarity::Denied::No,
            lower,
        });
    }
    words
}

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

static STOP: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set(
        "a about above actually after again ah all already also although am an and any anyway anyone are arent as at \
        aye be because been being both but by bye can cannot cant could couldnt d did didnt do does doesnt doing \
        done dont each either else er erm etc even ever every for from had has hasnt have havent having he hed hello \
        her here hers herself hes hey hi him himself his hm hmm how however i id if ill im in indeed instead into is isnt it \
        itd itll its itself ive just kind let lets letting like ll m many may maybe me meanwhile might mine mm more most much must \
        my myself neither no nobody none nope nor not nothing now of off oh ok okay on once one ones only onto \
        or other others our ours ourselves out over own per perhaps please pretty quite rather re really right s same \
        shall she should shouldnt since so some someone something somewhat sorry sort still such sure t than thank thanks that \
        thats the their theirs them themselves then there therefore theres these they theyd theyll theyre \
        theyve this those though through thus to together too u uh um unless until up upon us ve very via was wasnt way we wed \
        well were werent weve what whats whatever when whenever where whether which while who whom whos whose why will with \
        within without wont would wouldnt yeah yep yes yet you youd youll your youre yours yourself youve",
    )
});

static FRAME: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set(
        "customer customers client clients caller callers user agent agents representative representatives rep advisor \
        adviser assistant operator support staff person people conversation call chat issue issues problem problems \
        concern concerns regarding say says said saying tell tells told telling ask asks asked asking enquire enquires \
        enquired enquiring inquire inquires inquired inquiring inform informs informed informing explain explains \
        explained explaining mention mentions mentioned mentioning state states stated stating report reports reported \
        reporting confirm confirms confirmed confirming reply replies replied replying respond responds responded \
        responding complain complains complained complaining complaint request requests requested requesting \
        suggest suggests suggested suggesting advise advises advised advising assist assists assisted assisting \
        assistance help helps helped helping according note notes noted noting add adds added adding describe describes \
        described seek seeks seeking sought know knows knew let offer offers offered offering provide provides provided \
        providing give gives gave given giving wants want wanted wanting would-like express expresses \
        expressed point points pointed claim claims claimed claiming query queries statement answer answers answered \
        apologize apologizes apologized apologise apologises apologised apologizing apologising acknowledge acknowledges \
        acknowledged respond further related details",
    )
});

static LIGHT: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set(
        "get gets getting got gotten go goes going gone went come comes coming came make makes making made take takes \
        taking took taken put puts need needs needed needing use uses used using try tries tried trying see sees saw \
        seen look looks looked looking think thinks thought find finds found keep keeps kept feel feels happen happens \
        happened happening thing things stuff lot bit anything everything good great nice bad new able time times \
        want please back currently soon shortly team link links url urls step steps option options reference inconvenience experience",
    )
});

fn part_of(lower: &str) -> Part {
    if STOP.contains(lower) {
        Part::Stop
    } else if FRAME.contains(lower) {
        Part::Frame
    } else if LIGHT.contains(lower) {
        Part::Light
    } else {
        Part::Content
    }
}

/// Irregular forms, and words that people swap for each other when they retell a conversation.
static SAME: LazyLock<std::collections::HashMap<&'static str, &'static str>> = LazyLock::new(
    || {
        let groups = [
            "refund refunds refunded reimburse reimbursed reimbursement moneyback",
            "cancel cancels cancelled canceled cancelling canceling cancellation terminate terminated",
            "fix fixes fixed fixing repair repairs repaired resolve resolves resolved resolving resolution solve solved solving solution rectify sort sorted",
            "call calls called calling phone phones phoned phoning ring rings rang rung telephone telephoned",
            "buy buys bought buying purchase purchases purchased purchasing",
            "send sends sent sending dispatch dispatched ship ships shipped shipping mailed",
            "parcel parcels package packages",
            "bill bills billed billing invoice invoices",
            "engineer engineers technician technicians",
            "internet broadband wifi",
            "connection connections connect connects connected connecting",
            "flight flights fly flying flew flown",
            "delivery deliveries deliver delivers delivered delivering",
            "pay pays paid paying payment payments",
            "lose loses lost losing missing",
            "break breaks broke broken breaking",
            "leave leaves left leaving",
            "wait waits waited waiting",
            "arrive arrives arrived arriving arrival",
            "receive receives received receiving receipted",
            "mobile cell cellphone handset",
            "speak speaks spoke spoken speaking talk talks talked talking",
            "begin begins began begun start starts started starting",
            "write writes wrote written writing",
            "choose chooses chose chosen choosing choice",
            "return returns returned returning",
            "replace replaces replaced replacing replacement replacements",
            "book books booked booking bookings rebook rebooked rebooking reservation reserved reserve",
            "update updates updated updating",
            "upgrade upgrades upgraded upgrading",
            "link links url urls http https",
            "restart restarts restarted restarting reboot rebooted rebooting",
            "login logins logged logging log signin",
            "website site webpage",
            "dm dms",
            "email emails emailed emailing mail mails",
            "quick quickly fast faster",
            "investigate investigates investigating investigation",
            "charge charges charged charging",
            "film films movie movies",
            "app apps application applications",
            "picture pictures photo photos image images screenshot screenshots",
            "wrong incorrect incorrectly",
            "reach reaches reached reaching contact contacts contacted contacting",
            "buy bought",
            "sell sold sells selling",
            "pick picks picked",
            "think thought",
            "pound pounds",
            "child children",
            "man men",
            "woman women",
            "scan scans scanned scanning scanner",
            "cheap cheaper cheapest",
            "expensive costly",
            "stop stops stopped stopping",
            "freeze freezes froze frozen freezing",
            "freezes",
            "worsen worse",
            "big large bigger larger",
            "small little smaller",
        ];
        let mut same = std::collections::HashMap::new();
        for group in groups {
            let mut words = group.split_whitespace();
            let Some(first) = words.next() else { continue };
            same.insert(first, first);
            for word in words {
                same.entry(word).or_insert(first);
            }
        }
        same
    },
);

fn same_as(lower: &str) -> Option<&'static str> {
    SAME.get(lower).copied()
}

impl Reading {
    /// Letters and digits of `code` stand here in one piece, or piece by piece.
    pub fn spells(&self, code: &str) -> bool {
        (0..self.words.len()).any(|from| {
            let mut rest = code;
            for word in &self.words[from..] {
                let piece = facts::spelling(&word.lower);
                // "the Z2's screen"
                if piece.strip_suffix('s') == Some(rest) {
                    return true;
                }
                match rest.strip_prefix(piece.as_str()) {
                    _ if piece.is_empty() && rest.len() < code.len() => {}
                    Some(more) if !piece.is_empty() => rest = more,
                    _ => return false,
                }
                if rest.is_empty() {
                    return true;
                }
            }
            false
        })
    }
}
