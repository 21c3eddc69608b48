//! `backchannel summarize` as a person runs it.

mod bench;
mod faults;
mod formats;
mod kills;
mod providers;
mod scripted;
mod service;
mod spending;
mod waiting;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const THINGS: &[&str] = &["router", "invoice", "contract", "phone", "order", "Überweisung"];
const PLACES: &[&str] = &["Leeds", "Zürich", "Ōsaka", "Kraków"];

/// A made-up conversation; each number gives another, and the same number the same.
fn conversation(number: usize) -> Value {
    let (thing, place) = (THINGS[number % THINGS.len()], PLACES[number / 7 % PLACES.len()]);
    let amount = 10 + number % 90;
    json!({
        "id": format!("ü-{number:05}"),
        "started_at": "2026-03-02T10:00:00Z",
        "turns": [
            { "role": "customer", "text": format!(
                "Hello, my {thing} stopped working yesterday and I was charged {amount} pounds.") },
            { "role": "agent", "text": format!(
                "I am sorry to hear that. Which {thing} is it, and are you in {place}?") },
            { "role": "customer", "text": format!(
                "Yes, in {place}, the number is {number}. I already restarted it twice.") },
            { "role": "agent", "text": format!(
                "I have refunded the {amount} pounds, and I will call you back tomorrow at 3 pm.") },
            { "role": "customer", "text": "Great, thank you, that works for me." },
        ],
    })
}

fn write_conversations(path: &Path, numbers: std::ops::Range<usize>) {
    let lines: String = numbers.map(|number| format!("{}\n", conversation(number))).collect();
    std::fs::write(path, lines).expect("written");
}

fn command(arguments: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel"));
    command.arg("summarize").args(arguments);
    command
}

fn summarize(arguments: &[&Path]) -> Output {
    command(arguments).output().expect("it runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn lines(path: &Path) -> Vec<Value> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn ids(path: &Path) -> Vec<String> {
    let id = |line: &Value| line["id"].as_str().expect("an id").to_owned();
    lines(path).iter().map(id).collect()
}

fn p(text: &str) -> &Path {
    Path::new(text)
}
