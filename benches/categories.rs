//! What 500 category rules cost a turn, on real conversations. Run, with a file of
//! `{"turns": [{"role", "text"}]}` lines: `cargo bench --bench categories -- ../shared/data/tweetsumm/dialogues.jsonl`.
//!
//! The sample rules, and others made of words of the conversations, so that they match about as often as rules that
//! somebody wrote; a tenth of them has to be looked at after each turn.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::domain::{Party, Role, Turn};
use backchannel::insight::categories::{Categories, Watch};
use backchannel::insight::redaction;
use backchannel::insight::sentiment::Mood;
use serde_json::{Value, json};

const RULES: usize = 500;
const PHRASES_PER_RULE: usize = 8;

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(file) = given else {
        eprintln!("name a file of conversations, see the first lines of benches/categories.rs");
        return;
    };
    let text = std::fs::read_to_string(&file).expect("the file can be read");
    let conversations: Vec<Vec<Turn>> = text.lines().map(conversation).collect();
    let turns: usize = conversations.iter().map(Vec::len).sum();
    let samples = samples();
    for rules in [RULES / 5, RULES, 4 * RULES] {
        let rules = made(rules, &samples, &conversations);
        let began = Instant::now();
        let categories = Arc::new(Categories::from_json("bench", &rules).expect("sound rules"));
        let built = began.elapsed();
        let (mut times, mut moods, mut matches) = (Vec::new(), Vec::new(), 0);
        for conversation in &conversations {
            let mut watch = Watch::new(&categories, &BTreeMap::new());
            let mut mood = Mood::default();
            for turn in conversation {
                let began = Instant::now();
                let sentiment = mood.take(turn);
                moods.push(began.elapsed());
                let began = Instant::now();
                matches += black_box(watch.take(turn, sentiment.as_ref(), None)).len();
                times.push(began.elapsed());
            }
        }
        println!(
            "{} rules, {} phrases, built in {built:.1?}; {} conversations, {turns} turns, {matches} matches",
            categories.rules().len(),
            categories.phrases(),
            conversations.len(),
        );
        println!("  rules a turn:     {}", quantiles(&mut times));
        println!("  sentiment a turn: {}", quantiles(&mut moods));
    }
}

fn quantiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!("p50 {:.1?}, p95 {:.1?}, p99 {:.1?}, max {:.1?}", at(0.5), at(0.95), at(0.99), at(1.0))
}

fn conversation(line: &str) -> Vec<Turn> {
    let line: Value = serde_json::from_str(line).expect("a line of JSON");
    let turns = line["turns"].as_array().expect("turns");
    let turn = |(n, turn): (usize, &Value)| {
        let role = Role::parse(turn["role"].as_str().unwrap_or_default()).unwrap_or(Role::Mixed);
        let start_ms = 8_000 * n as u64;
        Turn {
            id: format!("t-{n}").into(),
            party: Party { id: role.as_str().into(), role, name: None },
            start_ms,
            end_ms: start_ms + 6_000,
            text: redaction::typed(turn["text"].as_str().unwrap_or_default()),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "en".into(),
        }
    };
    turns.iter().enumerate().map(turn).collect()
}

/// The sample rules, as JSON.
fn samples() -> Vec<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("categories");
    let mut rules = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of sample rules") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(path).expect("a file of rules");
            let file: Value = toml::from_str(&text).expect("TOML");
            rules.extend(file["rule"].as_array().cloned().unwrap_or_default());
        }
    }
    rules
}

/// So many rules: the samples, and those made of two to four neighbouring words of the conversations.
fn made(rules: usize, samples: &[Value], conversations: &[Vec<Turn>]) -> Value {
    let texts: Vec<Vec<&str>> = conversations
        .iter()
        .flatten()
        .map(|turn| turn.text.as_str().split(|c: char| !c.is_ascii_alphabetic()).collect())
        .map(|words: Vec<&str>| words.into_iter().filter(|word| word.len() > 1).collect())
        .filter(|words: &Vec<&str>| words.len() > 8)
        .collect();
    let mut next = 0usize;
    let mut phrase = || {
        next += 1;
        let words = &texts[next * 7_919 % texts.len()];
        let (from, many) = (next * 31 % (words.len() - 4), 2 + next % 3);
        words[from..from + many].join(" ")
    };
    let mut phrases = |many: usize| (0..many).map(|_| phrase()).collect::<Vec<_>>();
    let mut all = samples.to_vec();
    while all.len() < rules {
        let n = all.len();
        let said = json!({"said": phrases(PHRASES_PER_RULE)});
        let when = match n % 10 {
            0 => json!({"all": [said, {"not": {"said": phrases(2), "last_turns": 3}}]}),
            1 => json!({"near": [phrases(4), phrases(4)], "within_words": 8}),
            2 => json!({"all": [said, {"sentiment_at_most": "negative"}]}),
            3 => json!({"all": [said, {"said": phrases(4), "last_s": 60}]}),
            4 => json!({"any": [said, {"intent": [format!("intent_{n}")]}]}),
            _ => said,
        };
        let by = ["customer", "agent", "anyone"][n % 3];
        all.push(json!({"id": format!("made_{n}"), "by": by, "when": when}));
    }
    all.truncate(rules);
    json!({ "rule": all })
}
