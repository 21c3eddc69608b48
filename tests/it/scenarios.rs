//! Calls as text files: `tests/scenarios/*.call`. Adding one needs no Rust.
//!
//! A line `00:05.8 customer: words` is a final turn at that time; `expect card: a | b` wants a card
//! for it, or for the very next turn, whose words and quote hold one of the alternatives; `expect
//! nothing` wants no card for it; a turn without an expectation may have one. `#` comments.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backchannel::domain::{Answer, Party, PartyId, Redacted, Role, Turn, TurnId};
use backchannel::evaluate::cards::{CardReport, calls_of, play};
use backchannel::flow::suggestion::{Decision, Suggester, SuggestionSettings};
use backchannel::knowledge::{Library, LibrarySettings, Source, cache_folder};
use backchannel::models::embedder::EmbedderHandle;
use backchannel::models::installed;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};

enum Expectation {
    Free,
    Nothing,
    Card(Vec<String>),
}

struct Line {
    at_ms: u64,
    role: Role,
    text: String,
    expectation: Expectation,
}

fn parse(path: &Path) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (number, text) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
        let place = format!("{}:{}", path.display(), number + 1);
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(wanted) = text.strip_prefix("expect ") {
            let line = lines.last_mut().unwrap_or_else(|| panic!("{place}: no turn yet"));
            line.expectation = match wanted.strip_prefix("card:") {
                Some(any) => Expectation::Card(
                    any.split('|').map(|word| word.trim().to_lowercase()).collect(),
                ),
                None if wanted == "nothing" => Expectation::Nothing,
                None => panic!("{place}: expect card: … or expect nothing"),
            };
            continue;
        }
        let (head, words) =
            text.split_once(": ").unwrap_or_else(|| panic!("{place}: time role: words"));
        let (time, role) =
            head.split_once(' ').unwrap_or_else(|| panic!("{place}: time role: words"));
        let (minutes, seconds) = time.split_once(':').unwrap_or_else(|| panic!("{place}: mm:ss.t"));
        let minutes: f64 = minutes.parse().unwrap();
        let seconds: f64 = seconds.parse().unwrap();
        lines.push(Line {
            at_ms: ((minutes * 60.0 + seconds) * 1_000.0) as u64,
            role: Role::parse(role).unwrap_or_else(|| panic!("{place}: {role} is no role")),
            text: words.to_owned(),
            expectation: Expectation::Free,
        });
    }
    lines
}

pub fn embedder() -> EmbedderHandle {
    let folder = installed("all-minilm-l6-v2").expect("make test pulls the model").folder;
    let model = MiniLm::open(&MiniLmFiles::in_folder(&folder), 1).unwrap();
    EmbedderHandle::spawn(Box::new(model), 16)
}

pub fn library() -> Library {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let mut settings = LibrarySettings::new(Source::Folder(folder));
    settings.cache = cache_folder(&|name| std::env::var(name).ok());
    settings.query_patience = Duration::from_secs(10);
    let library = Library::open(&settings).unwrap();
    library.attach_vectors(embedder(), |_, _| {}).unwrap();
    library
}

fn turn(number: usize, line: &Line) -> Turn {
    Turn {
        id: TurnId::from(format!("t-{number}")),
        party: Party { id: PartyId::from("p"), role: line.role, name: None },
        start_ms: line.at_ms,
        end_ms: line.at_ms,
        text: Redacted::vouched(line.text.as_str()),
        words: Vec::new(),
        mean_logprob: None,
        display_text: None,
        language: "en".into(),
    }
}

fn says(card: &Answer, any: &[String]) -> bool {
    let words = format!("{} {}", card.title, card.text).to_lowercase();
    let quotes: String = card.citations.iter().map(|c| c.quote.to_lowercase()).collect();
    any.iter().any(|word| words.contains(word)) && any.iter().any(|word| quotes.contains(word))
}

#[test]
fn calls_get_the_cards_they_need_and_no_others() {
    let library = library();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut failures, mut times) = (Vec::new(), Vec::new());
    let (mut wanted, mut got, mut cards_in_all) = (0, 0, 0);
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "call")) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let lines = parse(file);
        let mut suggester = Suggester::new(&SuggestionSettings::default());
        let mut cards: Vec<Option<Answer>> = Vec::new();
        let mut log = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let start = Instant::now();
            let Some(query) = suggester.consider(&turn(number, line)) else {
                cards.push(None);
                log.push("no trigger".to_owned());
                continue;
            };
            let found = library.search(&query.request).unwrap();
            let decision = suggester.decide(&query, &found, line.at_ms);
            times.push(start.elapsed().as_secs_f64() * 1_000.0);
            log.push(match &decision {
                Decision::Offer(card) => {
                    format!("{:.2} {} / {}", card.score, card.title, card.text)
                }
                Decision::Abstain(why) => {
                    let first = found
                        .hits
                        .first()
                        .map(|hit| format!("{} {:?}", hit.passage().id, hit.features));
                    format!("{:?} {why:?} {first:?} {:?}", query.act, query.request.in_context)
                }
            });
            cards.push(match decision {
                Decision::Offer(card) => Some(*card),
                Decision::Abstain(_) => None,
            });
        }
        for card in cards.iter().flatten() {
            let citation = &card.citations[0];
            let article = library.article(&citation.article_id).unwrap();
            assert!(article.body.contains(&citation.quote), "{name}: {}", citation.quote);
            let passage = article.passages.iter().find(|p| p.id == citation.passage_id).unwrap();
            let length = citation.end_chars - citation.start_chars;
            let slice: String =
                passage.text.chars().skip(citation.start_chars).take(length).collect();
            assert_eq!(slice, citation.quote);
        }
        let minutes = lines.last().map_or(0.0, |line| line.at_ms as f64 / 60_000.0);
        let shown = cards.iter().flatten().count();
        cards_in_all += shown;
        if shown as f64 > 4.0 * minutes.max(1.0) {
            failures.push(format!("{name}: {shown} cards in {minutes:.1} minutes"));
        }
        for (at, line) in lines.iter().enumerate() {
            let ok = match &line.expectation {
                Expectation::Free => true,
                Expectation::Nothing => cards[at].is_none(),
                Expectation::Card(any) => {
                    wanted += 1;
                    let ok = [at, at + 1]
                        .iter()
                        .any(|&at| cards.get(at).into_iter().flatten().any(|card| says(card, any)));
                    got += usize::from(ok);
                    ok
                }
            };
            if !ok {
                failures.push(format!("{name}: {:?}\n      {}", line.text, log[at]));
            }
        }
        if std::env::var_os("SCENARIO_LOG").is_some() {
            for (line, log) in lines.iter().zip(&log) {
                println!("{name} {}: {}\n      {log}", line.role.as_str(), line.text);
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let percentile = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{got}/{wanted} expected cards, {cards_in_all} cards; turn to card p50 {:.1} ms, p95 {:.1} ms",
        percentile(0.5),
        percentile(0.95)
    );
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_demo_calls_get_their_cards_from_their_words() {
    let library = library();
    let mut report = CardReport::default();
    let calls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    for (_, call) in calls_of(&calls).unwrap() {
        report.add(&play(&call, &library, &SuggestionSettings::default()).unwrap());
    }
    println!("{report:?}");
    assert_eq!((report.calls, report.small_talk_cards), (3, 0));
    assert!(report.questions_answered * 5 >= report.questions * 4, "{report:?}");
}
