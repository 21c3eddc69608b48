//! Which things are talked about: the titles of articles, in what was heard of a conversation.
//!
//! Somebody says "the Clift Royal Sonesta", a recogniser writes "cliff royal so nesta", and ten turns
//! later it is "that hotel". A title is therefore looked for letter by letter in stretches of words,
//! with spaces left out, and may be said in part; a later mention counts more than an earlier one.
//! Titles that everybody says ("Good Hotel") prove little. The weights were chosen on one half of
//! `dstc10-spoken-knowledge` (see `benches/README`).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::cache::{TextHash, text_hash};
use super::phrases::Phrases;
use super::snapshot::PassageEntry;
use super::terms;
use crate::domain::number_of;

/// Letters of a title that must be heard, as a share (normalised Levenshtein similarity).
const LIKE: f64 = 0.65;
/// How fast a mention loses with each letter that differs: its similarity to this power.
const SHARPNESS: i32 = 4;
/// Pairs of letters of a title that must stand anywhere in the turn before it is compared.
const PAIRS_HELD: f32 = 0.6;
/// A part of a title that says less than this of it doesn't stand for it.
const PART: f32 = 0.55;
/// What a part is worth: its share of what the title says, to this power.
const PART_POWER: f32 = 0.3;
/// A name before a dash ("Main Street Grill - Downtown") is nearly the whole title.
const BASE: f32 = 0.9;
/// A phrase that so rare (natural logarithm of one in so many articles) names one thing.
const RARE: f32 = 5.0;
/// Letters below which a name is easily misheard in other words, and what it is worth then.
const SHORT: (usize, f32) = (6, 0.6);
/// Fewer letters stand for nothing unless they are the whole title.
const LEAST_LETTERS: usize = 4;
/// What a mention is worth inside a longer one, and where a place is meant ("in Union Square").
const INSIDE: f32 = 0.5;
const PLACE: f32 = 0.7;
/// What is left of a mention one turn later.
const KEPT: f32 = 0.97;
/// Earlier turns aren't looked at.
const TURNS: usize = 40;
/// Turns whose mentions are kept: a call asks again and again about the same turns.
const KEPT_TURNS: usize = 4_096;
/// A longer title is compared up to here.
const WORDS_MAX: usize = 12;

/// One way to say a title.
struct Name {
    article: usize,
    /// Without spaces.
    letters: String,
    words: usize,
    pairs: HashSet<[u8; 2]>,
    weight: f32,
}

/// The names of all articles.
#[derive(Default)]
pub(crate) struct Heard {
    names: Vec<Name>,
    by_pair: HashMap<[u8; 2], Vec<usize>>,
    known: Mutex<HashMap<TextHash, Vec<Mention>>>,
}

/// An article that is talked about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mention {
    pub article: usize,
    /// 0 to 1, where 1 is a whole, rare title, heard right and just now.
    pub strength: f32,
    /// The words in which it was heard.
    pub words: String,
}

/// A stretch of a turn that sounds like a name.
struct Stretch {
    name: usize,
    from: usize,
    to: usize,
    strength: f32,
}

impl Heard {
    pub fn of(passages: &[PassageEntry], articles: &[Range<usize>]) -> Self {
        let title = |range: &Range<usize>| &*passages[range.start].article.title;
        let mut phrases = Phrases::default();
        for word in articles.iter().flat_map(|range| words(title(range))) {
            phrases.learn(&word);
        }
        let texts: Vec<Vec<u32>> = articles
            .par_iter()
            .map(|range| {
                let mut text = Vec::new();
                for passage in passages[range.clone()].iter().map(PassageEntry::passage) {
                    for part in [&passage.heading, &passage.text] {
                        each_word(part, &mut |word| text.push(phrases.word(word)));
                    }
                }
                text
            })
            .collect();
        let counts = articles_with(&texts, phrases.known_words(), |text, on_word| {
            text.iter().for_each(|&word| on_word(word as usize));
        });
        let weight = |word: &str| match terms::is_stop_word(word) {
            true => 0.05,
            false => says(texts.len(), counts.get(phrases.word(word) as usize)),
        };
        let of_title = |(article, range)| {
            ways_to_say(title(range), &weight).map(move |(part, share)| (article, part, share))
        };
        let parts: Vec<_> = articles.iter().enumerate().flat_map(of_title).collect();
        let numbers: Vec<usize> =
            parts.iter().map(|(_, part, _)| phrases.add(part.iter().map(String::as_str))).collect();
        let count = numbers.iter().max().map_or(0, |most| most + 1);
        let counts = articles_with(&texts, count, |text, on_phrase| {
            phrases.each_in(text, on_phrase);
        });
        // In a small base nothing is rarer than what one article has.
        let rare = says(texts.len(), None).clamp(f32::MIN_POSITIVE, RARE);
        let mut heard = Self::default();
        for ((article, part, share), number) in parts.into_iter().zip(numbers) {
            let rarity = (says(texts.len(), counts.get(number)) / rare).min(1.0);
            let letters = part.concat();
            let pairs = pairs(&letters);
            for pair in &pairs {
                heard.by_pair.entry(*pair).or_default().push(heard.names.len());
            }
            let weight = share.powf(PART_POWER) * rarity;
            heard.names.push(Name { article, letters, words: part.len(), pairs, weight });
        }
        heard
    }

    /// The articles that are talked about, strongest first. `turns` are oldest first.
    pub fn about(&self, turns: &[String]) -> Vec<Mention> {
        let mut found: BTreeMap<usize, Mention> = BTreeMap::new();
        let mut kept = 1.0;
        for turn in turns.iter().rev().take(TURNS) {
            for mut mention in self.known_turn(turn) {
                mention.strength *= kept;
                match found.get_mut(&mention.article) {
                    Some(known) if known.strength >= mention.strength => {}
                    Some(known) => *known = mention,
                    None => drop(found.insert(mention.article, mention)),
                }
            }
            kept *= KEPT;
        }
        let mut found: Vec<Mention> = found.into_values().collect();
        found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        found
    }

    fn known_turn(&self, turn: &str) -> Vec<Mention> {
        let hash = text_hash(turn);
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&hash) {
            return known.clone();
        }
        let mentions = self.in_turn(&words(turn));
        let mut known = lock();
        if known.len() >= KEPT_TURNS {
            known.clear();
        }
        known.insert(hash, mentions.clone());
        mentions
    }

    fn in_turn(&self, said: &[String]) -> Vec<Mention> {
        let mut held = vec![0_u16; self.names.len()];
        for pair in pairs(&said.concat()) {
            for &name in self.by_pair.get(&pair).into_iter().flatten() {
                held[name] = held[name].saturating_add(1);
            }
        }
        let is_near = |name: &usize| {
            held[*name] > 0
                && f32::from(held[*name]) >= PAIRS_HELD * self.names[*name].pairs.len() as f32
        };
        let candidates: Vec<usize> = (0..self.names.len()).filter(is_near).collect();
        let stretches: Vec<Stretch> =
            candidates.into_iter().filter_map(|name| self.best_stretch(name, said)).collect();
        let worth = |stretch: &Stretch| {
            let own = self.names[stretch.name].article;
            let is_inside = stretches.iter().any(|other| {
                other.from <= stretch.from
                    && stretch.to <= other.to
                    && other.to - other.from > stretch.to - stretch.from
                    && other.strength > INSIDE
                    && self.names[other.name].article != own
            });
            let inside = if is_inside { INSIDE } else { 1.0 };
            stretch.strength * inside * if is_place(said, stretch) { PLACE } else { 1.0 }
        };
        let mention = |stretch: &Stretch| Mention {
            article: self.names[stretch.name].article,
            strength: worth(stretch),
            words: said[stretch.from..stretch.to].join(" "),
        };
        stretches.iter().map(mention).collect()
    }

    /// Where a turn sounds most like a name, if anywhere.
    fn best_stretch(&self, number: usize, said: &[String]) -> Option<Stretch> {
        let name = &self.names[number];
        let letters = name.letters.len() as f32;
        let mut best: Option<(f64, usize, usize)> = None;
        for from in 0..said.len() {
            let mut heard = String::new();
            for to in from + 1..=(from + name.words + 2).min(said.len()) {
                heard.push_str(&said[to - 1]);
                let fits = (heard.len() as f32 - letters).abs() <= 0.3 * letters;
                if to - from + 1 < name.words || !fits {
                    continue;
                }
                let like = strsim::normalized_levenshtein(&heard, &name.letters);
                if like >= LIKE && best.is_none_or(|(best, ..)| like > best) {
                    best = Some((like, from, to));
                }
            }
        }
        best.map(|(like, from, to)| {
            let is_short = name.letters.len() < SHORT.0 && like < 1.0;
            let short = if is_short { SHORT.1 } else { 1.0 };
            let strength = (like as f32).powi(SHARPNESS) * name.weight * short;
            Stretch { name: number, from, to, strength }
        })
    }
}

/// Whether the words around say that a place is meant, not the thing itself.
fn is_place(said: &[String], stretch: &Stretch) -> bool {
    let word = |at: Option<usize>| at.and_then(|at| said.get(at)).map_or("", String::as_str);
    let before = match word(stretch.from.checked_sub(1)) {
        "the" => word(stretch.from.checked_sub(2)),
        word => word,
    };
    matches!(before, "in" | "near" | "around")
        || matches!(word(Some(stretch.to)), "area" | "district" | "neighbourhood" | "neighborhood")
}

/// Lower-case words; numbers in digits, word by word, since people read "1906" as they like.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, &mut |word| words.push(word.to_owned()));
    words
}

fn each_word(text: &str, on_word: &mut dyn FnMut(&str)) {
    let text = match text.contains('&') {
        true => Cow::from(text.replace('&', " and ")),
        false => Cow::from(text),
    };
    terms::each_word(&text, &mut |word| match number_of(word) {
        Some(number) => on_word(&number.to_string()),
        None => on_word(word),
    });
}

fn pairs(letters: &str) -> HashSet<[u8; 2]> {
    letters.as_bytes().windows(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// How much it says that a text has a word or phrase which so many of `count` texts have.
fn says(count: usize, holders: Option<&usize>) -> f32 {
    // Its own article doesn't make a name common.
    let others = holders.map_or(0, |holders| holders.saturating_sub(1));
    ((count + 1) as f32 / (others + 1) as f32).ln()
}

/// The title and its parts that could stand for it, each with its share of what the title says.
fn ways_to_say(
    title: &str,
    says: &dyn Fn(&str) -> f32,
) -> impl Iterator<Item = (Vec<String>, f32)> {
    let mut whole = words(title);
    whole.truncate(WORDS_MAX);
    let base = [" - ", ", ", " ("].iter().find_map(|dash| title.split_once(dash));
    let base = base.map(|(base, _)| words(base)).unwrap_or_default();
    let all: f32 = whole.iter().map(|word| says(word)).sum();
    let mut ways: BTreeMap<Vec<String>, f32> = BTreeMap::new();
    for from in 0..whole.len() {
        for to in from + 1..=whole.len() {
            let part = &whole[from..to];
            let is_whole = part.len() == whole.len();
            let is_base = part == &base[..];
            let share =
                part.iter().map(|word| says(word)).sum::<f32>() / all.max(f32::MIN_POSITIVE);
            let stands = share >= PART
                && part.concat().len() >= LEAST_LETTERS
                && !terms::is_stop_word(&part[part.len() - 1])
                && (from == 0 || !terms::is_stop_word(&part[0]));
            if is_whole || is_base || stands {
                let share = if is_base { share.max(BASE) } else { share };
                ways.insert(part.to_vec(), share.min(1.0));
            }
        }
    }
    ways.into_iter()
}

/// How many texts have each of `count` things; `each_in` tells those of a text.
fn articles_with(
    texts: &[Vec<u32>],
    count: usize,
    each_in: impl Fn(&[u32], &mut dyn FnMut(usize)),
) -> Vec<usize> {
    let mut counts = vec![0; count];
    let mut last_seen = vec![usize::MAX; count];
    for (number, text) in texts.iter().enumerate() {
        each_in(text, &mut |thing| {
            if last_seen.get(thing).is_some_and(|last| *last != number) {
                last_seen[thing] = number;
                counts[thing] += 1;
            }
        });
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::snapshot::{Articles, sample_passages};

    /// Every word and every phrase is looked for in every article.
    #[test]
    fn one_pass_weighs_as_comparing_everything_with_everything_does() {
        let passages = sample_passages();
        let articles = Articles::of(&passages).ranges;
        let text = |range: &Range<usize>| {
            let parts = passages[range.clone()].iter().map(PassageEntry::passage);
            let words = parts.flat_map(|one| [words(&one.heading), words(&one.text)].concat());
            format!(" {} ", words.collect::<Vec<_>>().join(" "))
        };
        let texts: Vec<String> = articles.iter().map(text).collect();
        let holders = |phrase: &str| {
            texts.iter().filter(|text| text.contains(&format!(" {phrase} "))).count()
        };
        let says_word = |word: &str| match terms::is_stop_word(word) {
            true => 0.05,
            false => says(texts.len(), Some(&holders(word))),
        };
        let rare = says(texts.len(), None).min(RARE);
        let mut expected = Vec::new();
        for (number, range) in articles.iter().enumerate() {
            for (part, share) in ways_to_say(&passages[range.start].article.title, &says_word) {
                let rarity = (says(texts.len(), Some(&holders(&part.join(" ")))) / rare).min(1.0);
                expected.push((number, part.concat(), share.powf(PART_POWER) * rarity));
            }
        }
        assert!(expected.len() > articles.len());
        let found = Heard::of(&passages, &articles).names;
        let found: Vec<_> =
            found.into_iter().map(|one| (one.article, one.letters, one.weight)).collect();
        assert_eq!(found, expected);
    }
}
