//! The rules, read once, and how a row of words is found in a text.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::words::{Token, Words, is_address};

const SHIPPED: &str = include_str!("rules.toml");

/// What may stand between the beginning of a clause and its imperative.
const BEFORE: [&[&str]; 21] = [
    &["please"],
    &["and"],
    &["then"],
    &["now"],
    &["also"],
    &["just"],
    &["kindly"],
    &["so"],
    &["lets"],
    &["always"],
    &["must"],
    &["finally"],
    &["instead"],
    &["bitte"],
    &["und"],
    &["you", "must"],
    &["you", "should"],
    &["you", "will"],
    &["you", "need", "to"],
    &["you", "have", "to"],
    &["you", "can"],
];

/// How much of a text is lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Grade {
    Takeover,
    Task,
    /// Says nothing by itself.
    Sign,
}

/// Signs of so many kinds in one text of at least so many words are a takeover: who writes a part for a machine to play
/// speaks of the part, of rules and of answers.
const SIGNS_MIN: usize = 6;
const SIGNS_WORDS_MIN: usize = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lists: BTreeMap<String, Vec<String>>,
    rule: Vec<Written>,
    marks: Marks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    grade: Grade,
    says: String,
    #[serde(default)]
    unless: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Marks {
    takeover: Vec<String>,
}

/// A part of a row.
enum Step {
    Any(Either),
    /// Up to so many words of the same sentence.
    Gap(u8),
}

/// Words of which one stands here.
#[derive(Default)]
struct Either {
    words: HashSet<String>,
    or_address: bool,
    or_edge: bool,
    is_optional: bool,
}

impl Either {
    fn has(&self, token: &Token) -> bool {
        match token {
            Token::Word(word) => self.words.contains(word) || (self.or_address && is_address(word)),
            Token::Edge => self.or_edge,
            Token::Pause => false,
        }
    }
}

struct Rule {
    name: String,
    grade: Grade,
    /// It stands where a clause begins.
    begins: bool,
    row: Vec<Step>,
    unless: HashSet<String>,
}

/// All rules, ready to look at texts.
pub(super) struct Rules {
    rules: Vec<Rule>,
    /// By the first word of their rows.
    by_first: HashMap<String, Vec<usize>>,
    marks: aho_corasick::AhoCorasick,
}

impl Rules {
    pub fn shipped() -> &'static Self {
        static RULES: LazyLock<Rules> = LazyLock::new(|| {
            Rules::parse(SHIPPED).expect("the shipped rules are right: a test reads them")
        });
        &RULES
    }

    /// # Errors
    /// What is wrong, with the rule's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut rules: Vec<Rule> = Vec::with_capacity(file.rule.len());
        let mut by_first: HashMap<String, Vec<usize>> = HashMap::new();
        for written in file.rule {
            let rule = Rule::of(written, &file.lists)?;
            let Some(Step::Any(first)) = rule.row.first().filter(|step| step.is_firm()) else {
                return Err(format!("rule {}: it has to begin with words", rule.name));
            };
            for word in &first.words {
                by_first.entry(word.clone()).or_default().push(rules.len());
            }
            rules.push(rule);
        }
        let marks = aho_corasick::AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .build(&file.marks.takeover);
        Ok(Self { rules, by_first, marks: marks.map_err(|error| error.to_string())? })
    }

    /// Somebody wants to be the machine's master.
    pub fn take_over(&self, text: &str, words: &Words) -> bool {
        let holds =
            |words: &Words| self.holding(words).any(|(rule, _)| rule.grade == Grade::Takeover);
        self.marks.is_match(text)
            || holds(words)
            || words.joined().is_some_and(|words| holds(&words))
            || self.has_signs(words)
    }

    fn has_signs(&self, words: &Words) -> bool {
        if words.tokens.len() < SIGNS_WORDS_MIN {
            return false;
        }
        let signs = self.holding(words).filter(|(rule, _)| rule.grade == Grade::Sign);
        let kinds: HashSet<&str> = signs.map(|(rule, _)| rule.name.as_str()).collect();
        kinds.len() >= SIGNS_MIN
    }

    /// Where errands stand, in bytes of the text.
    pub fn tasks(&self, words: &Words) -> Vec<Range<usize>> {
        let tasks = self.holding(words).filter(|(rule, _)| rule.grade == Grade::Task);
        tasks.map(|(_, at)| words.bytes(&at)).collect()
    }

    /// The name of the first that holds.
    pub fn first(&self, text: &str, words: &Words) -> Option<&str> {
        if self.marks.is_match(text) {
            return Some("marks");
        }
        let first = |words: &Words| {
            let mut found = self.holding(words).filter(|(rule, _)| rule.grade != Grade::Sign);
            found.next().map(|(rule, _)| rule)
        };
        let found = first(words).or_else(|| first(&words.joined()?));
        let signs = || self.has_signs(words).then_some("signs");
        found.map(|rule| rule.name.as_str()).or_else(signs)
    }

    fn holding<'a, 'w>(
        &'a self,
        words: &'w Words,
    ) -> impl Iterator<Item = (&'a Rule, Range<usize>)> + use<'a, 'w> {
        words.tokens.iter().enumerate().flat_map(move |(at, token)| {
            let rules = match token {
                Token::Word(word) => self.by_first.get(word).map_or(&[][..], Vec::as_slice),
                _ => &[],
            };
            rules.iter().filter_map(move |number| {
                let rule = &self.rules[*number];
                rule.holds_at(words, at).map(|end| (rule, at..end))
            })
        })
    }
}

impl Step {
    fn is_firm(&self) -> bool {
        matches!(self, Self::Any(either) if !either.is_optional && !either.words.is_empty())
    }
}

impl Rule {
    fn of(written: Written, lists: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let Written { name, grade, says, unless } = written;
        let wrong = |problem: String| format!("rule {name}: {problem}");
        let mut row = Vec::new();
        let mut begins = false;
        for (at, token) in says.split_whitespace().enumerate() {
            match token.strip_prefix('~') {
                _ if token == "^" && at == 0 => begins = true,
                Some(most) => {
                    let most = most.parse().map_err(|_| wrong(format!("`{token}` is no gap")))?;
                    row.push(Step::Gap(most));
                }
                None => row.push(Step::Any(either(token, lists).map_err(wrong)?)),
            }
        }
        if let Some(word) = unless.iter().find(|word| word.contains(' ')) {
            return Err(wrong(format!("`{word}` is more than a word")));
        }
        Ok(Self { row, begins, unless: unless.into_iter().collect(), name, grade })
    }

    /// Where the row ends that begins here, if it does and nothing in it speaks against it.
    fn holds_at(&self, words: &Words, at: usize) -> Option<usize> {
        if self.begins && !begins_clause(words, at) {
            return None;
        }
        let tokens = words.tokens.as_slice();
        let end = end_of(&self.row, tokens, at)?;
        let speaks =
            |token: &Token| matches!(token, Token::Word(word) if self.unless.contains(word));
        (!tokens[at..end].iter().any(speaks)).then_some(end)
    }
}

fn either(token: &str, lists: &BTreeMap<String, Vec<String>>) -> Result<Either, String> {
    let mut either = Either::default();
    let bare = token.strip_suffix('?');
    either.is_optional = bare.is_some();
    for word in bare.unwrap_or(token).split('|') {
        match word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some("link") => either.or_address = true,
            Some(name) => {
                let list = lists.get(name).ok_or_else(|| format!("there is no list {name}"))?;
                either.words.extend(list.iter().cloned());
            }
            None if word == "¶" => either.or_edge = true,
            None => _ = either.words.insert(word.to_owned()),
        }
    }
    Ok(either)
}

fn begins_clause(words: &Words, at: usize) -> bool {
    let tokens = words.tokens.as_slice();
    let mut at = at;
    loop {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        if words.is_raised(at) || matches!(before, None | Some(Token::Edge | Token::Pause)) {
            return true;
        }
        let stands = |words: &&&[&str]| {
            words.len() <= at
                && tokens[at - words.len()..at]
                    .iter()
                    .zip(words.iter())
                    .all(|(token, word)| matches!(token, Token::Word(said) if said == word))
        };
        // The longest first, which are the last.
        let Some(words) = BEFORE.iter().rev().find(stands) else { return false };
        at -= words.len();
    }
}

/// Where a row ends that begins here.
fn end_of(row: &[Step], tokens: &[Token], at: usize) -> Option<usize> {
    let Some((step, rest)) = row.split_first() else { return Some(at) };
    let paused = |at: usize| at + usize::from(tokens.get(at) == Some(&Token::Pause));
    match step {
        Step::Any(either) => {
            let here = paused(at);
            let found = tokens.get(here).is_some_and(|token| either.has(token));
            let end = found.then(|| end_of(rest, tokens, here + 1)).flatten();
            end.or_else(|| either.is_optional.then(|| end_of(rest, tokens, at)).flatten())
        }
        Step::Gap(most) => {
            let mut at = at;
            for _ in 0..=*most {
                if let Some(end) = end_of(rest, tokens, at) {
                    return Some(end);
                }
                at = paused(at);
                if !matches!(tokens.get(at), Some(Token::Word(_))) {
                    return None;
                }
                at += 1;
            }
            None
        }
    }
}
