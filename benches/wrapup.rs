//! The wrap-up of a call without a language model: all drafts of a five-minute call, and of eight
//! hours of turns. The bar for the first is 300 ms.

use std::path::Path;

use backchannel::domain::{Party, Role, Turn};
use backchannel::flow::wrapup::{self, Circumstances, DispositionRule, Reading, WrapUpSettings};
use backchannel::insight::redaction;
use backchannel::models::Material;
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn main() {
    divan::main();
}

#[derive(serde::Deserialize)]
struct Reference {
    turns: Vec<Line>,
}

#[derive(serde::Deserialize)]
struct Line {
    speaker: String,
    start_ms: u64,
    end_ms: u64,
    text: String,
}

/// The demo's calls one after the other, as often as it takes.
fn material(duration_ms: u64) -> Material {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let calls = ["billing-double-charge", "outage-cancel-threat", "moving-home"];
    let read = |name: &&str| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("a call");
        serde_json::from_str::<Reference>(&text).expect("a reference").turns
    };
    let lines: Vec<Line> = calls.iter().flat_map(read).collect();
    let mut turns = Vec::new();
    let (mut offset_ms, mut end_ms) = (0, 0);
    for (number, line) in lines.iter().cycle().enumerate() {
        if line.start_ms + offset_ms < end_ms {
            // The next call begins where the one before ended.
            offset_ms = end_ms;
        }
        end_ms = line.end_ms + offset_ms;
        if end_ms > duration_ms {
            break;
        }
        let role = Role::parse(&line.speaker).expect("a role");
        turns.push(Turn {
            id: format!("t-{number}").into(),
            party: Party { id: role.as_str().into(), role, name: None },
            start_ms: line.start_ms + offset_ms,
            end_ms,
            text: redaction::typed(&line.text),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "en".to_owned(),
        });
    }
    Material { turns, passages: Vec::new() }
}

fn settings() -> WrapUpSettings {
    let rule = |number: usize| DispositionRule {
        code: format!("D{number}"),
        label: format!("Disposition {number}"),
        phrases: ["bill", "charged twice", "engineer", "moving house", "not working"]
            .map(str::to_owned)
            .to_vec(),
    };
    WrapUpSettings { dispositions: (0..20).map(rule).collect(), ..WrapUpSettings::default() }
}

#[divan::bench(args = [5, 480], sample_count = 200)]
fn all_drafts(bencher: divan::Bencher, minutes: u64) {
    let (material, settings) = (material(minutes * 60_000), settings());
    let began = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let circumstances = Circumstances::new(began, Vec::new());
    bencher.bench(|| {
        let reading = Reading::of(&material, &circumstances).expect("enough is said");
        reading.all_drafts(&settings)
    });
}

/// What is promised in a call of some forty turns, and in eight hours of them.
#[divan::bench(args = [5, 480], sample_count = 200)]
fn follow_ups(bencher: divan::Bencher, minutes: u64) {
    let material = material(minutes * 60_000);
    let began = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    bencher.bench(|| wrapup::follow_ups(&material.turns, &began));
}
