//! Words to search terms: one way for passages and for queries.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;

use tantivy::tokenizer::{Language, Stemmer, TextAnalyzer, TokenStream, WhitespaceTokenizer};

use super::spoken;

/// Words that carry grammar or politeness and no subject.
const STOP_WORDS: &str = "a about actually after again ah all already also am an and any anyway are arent as at \
    aye be been being but by bye can cannot cant cheers could couldnt d did didnt do does doesnt doing dont \
    each either er erm etc ever every for from get gets getting give go goes going gonna got gotta had has hasnt have \
    havent having he hello her here hers hey hi him his hm hmm how i id if ill im in into is isnt it its itself ive just kind \
    know let lets like little ll lot m maybe me mean mhm might mine mm more most much must my myself need no nope not now of \
    off oh ok okay on once one only onto or other our ours out over own perhaps please pretty quite rather re really right s same say \
    says see shall she should so some something sorry sort still stuff such sure t tell than thank thanks that thats the \
    their theirs them then there theres these they theyre thing things think this those though to too uh um until up \
    us use used very want was wasnt way we well went were werent weve what whats when where which while who whos why will \
    with without wont would wouldnt yeah yep yes yet you youd youll your youre yours yourself youve";

/// Words whose stems each thread remembers.
const KNOWN_STEMS: usize = 16_384;

fn stop_words() -> &'static std::collections::HashSet<&'static str> {
    static WORDS: OnceLock<std::collections::HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| STOP_WORDS.split_whitespace().collect())
}

pub fn is_stop_word(word: &str) -> bool {
    stop_words().contains(word)
}

/// Lower-case words without punctuation; apostrophes vanish ("don't" → `dont`), decimal points stay
/// between digits, `£` and "quid" become the word `pound`, and `E-104` becomes `e104` and `104`.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, &mut |word| words.push(word.to_owned()));
    words
}

/// The same one by one: a large base has too many of them to keep.
pub(super) fn each_word(text: &str, on_word: &mut dyn FnMut(&str)) {
    let mut word = String::new();
    let mut before = None;
    let mut chars = text.chars().peekable();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let inside_number = digit(before) && digit(next);
        before = Some(c);
        match c {
            '\'' | '’' => {}
            '.' if inside_number => word.push('.'),
            ',' if inside_number => {}
            '-' if digit(next) && is_letter(&word) => {}
            '£' => {
                flush(&mut word, on_word);
                on_word("pound");
            }
            _ if c.is_ascii_alphanumeric() => word.push(c.to_ascii_lowercase()),
            _ if c.is_alphanumeric() => word.extend(c.to_lowercase()),
            _ => flush(&mut word, on_word),
        }
    }
    flush(&mut word, on_word);
}

fn is_letter(word: &str) -> bool {
    word.len() == 1 && word.bytes().all(|b| b.is_ascii_lowercase())
}

fn flush(word: &mut String, on_word: &mut dyn FnMut(&str)) {
    match word.as_str() {
        "" => return,
        // Recognisers spell the American way.
        "fiber" => on_word("fibre"),
        "center" => on_word("centre"),
        "wifi" => ["wi", "fi"].into_iter().for_each(&mut *on_word),
        "quid" => on_word("pound"),
        other => {
            on_word(other);
            let mut chars = other.chars();
            let is_code = chars.next().is_some_and(char::is_alphabetic)
                && chars.as_str().len() >= 2
                && chars.as_str().bytes().all(|b| b.is_ascii_digit());
            if is_code {
                on_word(chars.as_str());
            }
        }
    }
    word.clear();
}

/// Stemmed terms without stop words, in the order of the text, with repetitions.
pub fn terms(text: &str) -> Vec<String> {
    let mut words = spoken::digits(words(text));
    words.retain(|word| !is_stop_word(word));
    stem(&words)
}

/// The English (Porter 2) stem of each word.
pub fn stem(words: &[String]) -> Vec<String> {
    thread_local! {
        static STEMMER: RefCell<TextAnalyzer> = RefCell::new(
            TextAnalyzer::builder(WhitespaceTokenizer::default())
                .filter(Stemmer::new(Language::English))
                .build(),
        );
        /// A base says the same words over and over.
        static KNOWN: RefCell<HashMap<String, String>> = RefCell::default();
    }
    let mut stems = Vec::with_capacity(words.len());
    KNOWN.with_borrow_mut(|known| {
        for word in words {
            if let Some(stem) = known.get(word) {
                stems.push(stem.clone());
                continue;
            }
            STEMMER.with_borrow_mut(|stemmer| {
                stemmer.token_stream(word).process(&mut |token| {
                    if known.len() >= KNOWN_STEMS {
                        known.clear();
                    }
                    known.insert(word.clone(), token.text.clone());
                    stems.push(token.text.clone());
                });
            });
        }
    });
    stems
}

/// The terms that mean one thing: codes (`e104`), exact prices (`9.76`) and numbers of three or
/// more digits. Round money and lengths of time are said about everything ("twenty pounds a month",
/// "two hundred pounds"), so they point nowhere.
pub fn exact(terms: &[String]) -> Vec<String> {
    const MEASURES: &[&str] = &["pound", "day", "week", "month", "minut", "hour", "year"];
    let measures = |at: Option<usize>| {
        at.and_then(|at| terms.get(at)).is_some_and(|term| MEASURES.contains(&term.as_str()))
    };
    let mut exact = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        let digits = term.bytes().filter(u8::is_ascii_digit).count();
        let is_code = digits >= 2 && digits < term.len();
        let is_measured = measures(at.checked_sub(1)) || measures(at.checked_add(1));
        if is_code || (digits >= 3 && !is_measured) {
            exact.push(term.clone());
        }
    }
    exact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_amounts_and_stems() {
        assert_eq!(
            terms("Error E-104 costs £9.76, don't they"),
            ["error", "e104", "104", "cost", "pound", "9.76"]
        );
        assert_eq!(terms("it says E two one two"), ["e212", "212"]);
        assert_eq!(terms("1,000 refunds"), ["1000", "refund"]);
        assert_eq!(words("I’ve 3.5 quid."), ["ive", "3.5", "pound"]);
    }

    #[test]
    fn bare_amounts_are_not_exact() {
        let exact = |text: &str| exact(&terms(text));
        assert_eq!(exact("error E-104 on the 1571"), ["e104", "104", "1571"]);
        assert_eq!(exact("it was £9.76"), ["9.76"]);
        assert!(exact("twenty pounds a month, two hundred pounds in all").is_empty());
    }
}
