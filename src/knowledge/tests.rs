//! Searches through the library's door, with keywords only.

use std::fmt::Write as _;

use super::*;

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
