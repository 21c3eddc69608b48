//! Searches through the library's door, with keywords only or with vectors of words.

use std::fmt::Write as _;
use std::sync::Arc;

use super::feedback::{Feedback, JudgedCard};
use super::*;
use crate::domain::VerdictKind;
use crate::models::embedder::{Embedder, EmbedderError, EmbedderHandle};

/// One article a file: title, then heading and text of its passages.
fn library(articles: &[(&str, &[(&str, &str)])]) -> (Library, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (number, (title, passages)) in articles.iter().enumerate() {
        let id = format!("a{number:03}");
        let mut text =
            format!("+++\nid = \"{id}\"\ntitle = \"{title}\"\naudience = [\"agent\"]\n+++\n");
        for (heading, body) in *passages {
            write!(text, "\n## {heading}\n{body}\n").unwrap();
        }
        std::fs::write(folder.path().join(format!("{id}.md")), text).unwrap();
    }
    let settings = LibrarySettings::new(Source::Folder(folder.path().to_owned()));
    (Library::open(&settings).unwrap(), folder)
}

/// Hotels that answer the same questions in the same words, as hotels do.
fn hotels() -> (Library, tempfile::TempDir) {
    const ANSWERS: &[(&str, &str)] = &[
        (
            "Is there parking?",
            "Guests of the hotel park behind the house for free, in a good place.",
        ),
        ("When is check-in?", "Check-in starts at 3 in the afternoon."),
    ];
    let names = [
        "Clift Royal Sonesta",
        "Good Hotel",
        "Hotel Nikko",
        "DragonEats - SoMa",
        "DragonEats - The Haight",
        "Union Square",
        "San Francisco Marriott Union Square",
        "Nineteen 06 Mission",
        "Yale Hotel",
        "Sons & Daughters",
    ];
    let articles: Vec<(&str, &[(&str, &str)])> = names.map(|name| (name, ANSWERS)).to_vec();
    library(&articles)
}

#[test]
fn the_thing_that_is_talked_about_is_found_as_it_was_heard() {
    let (library, _folder) = hotels();
    let found = |talk: &[&str]| {
        let mut request = SearchRequest::new("is there parking");
        request.talk = talk.iter().map(|turn| (*turn).to_owned()).collect();
        let found = library.search(&request).unwrap();
        let first = &found.hits[0];
        assert_eq!(first.passage().heading, "Is there parking?", "{talk:?}");
        (first.article.title.clone(), first.why.join("; "))
    };
    let check = |talk: &[&str], title: &str| assert_eq!(found(talk).0, title, "{talk:?}");
    check(&["i found the cliff royal so nesta", "is there parking"], "Clift Royal Sonesta");
    check(&["it is called dragon eats in the haight", "ok"], "DragonEats - The Haight");
    check(&["the nineteen zero six mission", "that sounds good"], "Nineteen 06 Mission");
    check(&["how about sons and daughters", "ok"], "Sons & Daughters");
    // A longer name, not the place inside it; and the later of two.
    check(&["the san francisco marriott union square"], "San Francisco Marriott Union Square");
    check(&["the hotel nikko is full", "then take the yale hotel", "ok"], "Yale Hotel");
    check(&["hotel nikko", "is there anything in the union square area"], "Hotel Nikko");
    // A title that everybody says proves little.
    check(&["hotel nikko", "that is a good idea"], "Hotel Nikko");
    assert!(found(&["do you know the nicko hotel nikko"]).1.contains("talked about: hotel nikko"));
}

#[test]
fn without_talk_nothing_is_talked_about() {
    let (library, _folder) = hotels();
    let plain = library.search(&SearchRequest::new("is there parking at hotel nikko")).unwrap();
    assert!(plain.hits.iter().all(|hit| !hit.why.iter().any(|why| why.contains("talked"))));
    let mut request = SearchRequest::new("is there parking");
    request.talk = vec!["that is a good idea".into()];
    let found = library.search(&request).unwrap();
    assert!(!found.hits[0].why.iter().any(|why| why.contains("talked")), "{:?}", found.hits[0].why);
}

#[test]
fn a_filter_holds_for_what_is_talked_about() {
    let (library, _folder) = hotels();
    let mut request = SearchRequest::new("is there parking");
    request.talk = vec!["hotel nikko".into()];
    request.filter.audience = Some(crate::domain::Audience::Customer);
    assert!(library.search(&request).unwrap().hits.is_empty());
}

/// A vector of a text's words: what shares words is near.
struct Words;

impl Embedder for Words {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let vector = |text: &&str| {
            let mut vector = vec![0.0; 256];
            for term in terms::terms(text) {
                let hash = term.bytes().fold(7_usize, |hash, byte| hash * 31 + usize::from(byte));
                vector[hash % 256] += 1.0_f32;
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            vector.iter().map(|x| x / length).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
    fn dimensions(&self) -> usize {
        256
    }
    fn fingerprint(&self) -> &str {
        "words"
    }
}

const ASKED: &str = "how long do refunds take";

/// Two articles that answer alike, one with a code, and one about something else.
fn refunds() -> (Library, tempfile::TempDir) {
    let articles: &[(&str, &[(&str, &str)])] = &[
        ("Refunds of parcels", &[("Lost", "Refunds for a lost parcel take five days.")]),
        ("Refunds of orders", &[("Late", "Refunds for a late order take five days.")]),
        ("Router lights", &[("E-104", "E-104 means that the router hears no signal.")]),
        ("Roaming", &[("Abroad", "Calls from abroad cost nothing inside the zone.")]),
    ];
    let (library, folder) = library(articles);
    library.attach_vectors(EmbedderHandle::spawn(Box::new(Words), 8), |_, _| {}).unwrap();
    (library, folder)
}

/// So many verdicts on one article for a question.
fn judged(question: &str, article: &str, verdict: VerdictKind, count: usize) -> Vec<JudgedCard> {
    let vector = Words.embed(&[question]).unwrap().remove(0);
    let card =
        JudgedCard { question: vector.into(), article: article.into(), quote: "".into(), verdict };
    vec![card; count]
}

fn order(library: &Library, request: &SearchRequest) -> Vec<String> {
    let found = library.search(request).unwrap();
    assert!(!found.degraded);
    found.hits.iter().map(|hit| hit.article.id.to_string()).collect()
}

#[test]
fn verdicts_change_the_places_of_neighbours_and_say_so() {
    let (library, _folder) = refunds();
    let plain = order(&library, &SearchRequest::new(ASKED));
    let (first, second) = (plain[0].as_str(), plain[1].as_str());
    assert_eq!((first, second), ("a000", "a001"));
    let mut cards = judged(ASKED, first, VerdictKind::Dismissed, 10);
    cards.extend(judged(ASKED, second, VerdictKind::Accepted, 10));
    library.heed(Some(Arc::new(Feedback::of(256, &cards))));
    let found = library.search(&SearchRequest::new(ASKED)).unwrap();
    assert_eq!(found.hits[0].article.id.as_str(), second);
    let said = |at: usize| found.hits[at].why.last().unwrap().as_str();
    assert_eq!(said(0), "agents accepted it for such questions: 10 of 10");
    assert_eq!(said(1), "agents dismissed it for such questions: 10 of 10");
    // Other questions, and searches that are a yardstick, stay as they are.
    let abroad = SearchRequest::new("what do calls from abroad cost");
    assert!(library.search(&abroad).unwrap().hits.iter().all(|hit| hit.features.feedback == 0.0));
    for mode in [SearchMode::Bm25, SearchMode::Dense] {
        let request = SearchRequest { mode, ..SearchRequest::new(ASKED) };
        let moved = order(&library, &request);
        library.heed(None);
        assert_eq!(moved, order(&library, &request));
        library.heed(Some(Arc::new(Feedback::of(256, &cards))));
    }
    library.heed(None);
    assert_eq!(order(&library, &SearchRequest::new(ASKED)), plain);
}

#[test]
fn no_verdict_brings_in_what_has_nothing_to_do_with_it() {
    let (library, _folder) = refunds();
    let cards = judged(ASKED, "a003", VerdictKind::Accepted, 1_000);
    let others = judged(ASKED, "a000", VerdictKind::Dismissed, 1_000);
    library.heed(Some(Arc::new(Feedback::of(256, cards.iter().chain(&others)))));
    let order = order(&library, &SearchRequest::new(ASKED));
    assert_eq!(&order[..2], ["a001", "a000"]);
}

#[test]
fn no_verdict_takes_its_place_from_a_code_that_was_said() {
    let (library, _folder) = refunds();
    let asked = "how long do refunds take with E-104";
    let mut cards = judged(asked, "a002", VerdictKind::Dismissed, 1_000);
    cards.extend(judged(asked, "a000", VerdictKind::Accepted, 1_000));
    library.heed(Some(Arc::new(Feedback::of(256, &cards))));
    let found = library.search(&SearchRequest::new(asked)).unwrap();
    assert_eq!(found.hits[0].article.id.as_str(), "a002");
    for hit in &found.hits {
        assert_eq!(hit.features.feedback, 0.0, "{}", hit.article.id);
    }
}
