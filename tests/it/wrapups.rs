//! What is written about calls, by data: `tests/wrapups/*.toml`. Adding one needs no Rust.
//!
//! Turns come from `call` (a reference in `tests/calls`) or from `turns` (lines of `role: words`).
//! `[[expect]]` names a draft or a section and words that must stand in it; `absent` names sections
//! that must not be there.

use std::path::{Path, PathBuf};

use backchannel::domain::{Party, Proof, ProvenSentence, Redacted, Role, Turn, WrapUpBody};
use backchannel::flow::wrapup::{
    Circumstances, DispositionRule, Reading, WrapUpSettings, paragraph_text,
};
use backchannel::models::Material;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    call: Option<String>,
    turns: Option<String>,
    #[serde(default = "english")]
    language: String,
    /// `2026-03-02T10:00[Europe/London]`
    began: String,
    #[serde(default)]
    dispositions: Vec<Choice>,
    #[serde(default)]
    expect: Vec<Expectation>,
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    code: String,
    label: String,
    phrases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    /// A section's key, or paragraph, followup, disposition, email, article.
    of: String,
    /// Each must stand there.
    holds: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
}

#[derive(Deserialize)]
struct Reference {
    turns: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    speaker: String,
    start_ms: u64,
    end_ms: u64,
    text: String,
}

fn english() -> String {
    "en".to_owned()
}

fn turn(number: usize, role: &str, times_ms: (u64, u64), text: &str, language: &str) -> Turn {
    let role = Role::parse(role).unwrap_or_else(|| panic!("{role} is no role"));
    Turn {
        id: format!("t-{number}").into(),
        party: Party { id: role.as_str().into(), role, name: None },
        start_ms: times_ms.0,
        end_ms: times_ms.1,
        text: Redacted::vouched(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: language.to_owned(),
    }
}

fn turns(case: &Case) -> Vec<Turn> {
    if let Some(name) = &case.call {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/calls/{name}.json"));
        let text = std::fs::read_to_string(path).expect("a reference");
        let reference: Reference = serde_json::from_str(&text).expect("a reference");
        let lines = reference.turns.iter().enumerate();
        return lines
            .map(|(number, line)| {
                let times_ms = (line.start_ms, line.end_ms);
                turn(number, &line.speaker, times_ms, &line.text, &case.language)
            })
            .collect();
    }
    let lines = case.turns.as_deref().unwrap_or_default().lines();
    let lines = lines.filter_map(|line| line.trim().split_once(": ")).enumerate();
    lines
        .map(|(number, (role, text))| {
            let at_ms = number as u64 * 6_000;
            turn(number, role, (at_ms, at_ms + 4_000), text, &case.language)
        })
        .collect()
}

/// Everything that was written, by name.
fn written(case: &Case, material: &Material) -> Vec<(String, String)> {
    let rule = |choice: &Choice| DispositionRule {
        code: choice.code.clone(),
        label: choice.label.clone(),
        phrases: choice.phrases.clone(),
    };
    let settings = WrapUpSettings {
        dispositions: case.dispositions.iter().map(rule).collect(),
        ..WrapUpSettings::default()
    };
    let began = case.began.parse().expect("a time with its zone");
    let circumstances = Circumstances::new(began, Vec::new());
    let reading = Reading::of(material, &circumstances).expect("enough is said");
    let join = |sentences: &[ProvenSentence]| {
        sentences.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(" | ")
    };
    let mut out = Vec::new();
    for draft in reading.all_drafts(&settings) {
        match draft.body {
            WrapUpBody::Summary(summary) => {
                stand(material, &summary.paragraph);
                let text = paragraph_text(&summary.paragraph, reading.language());
                out.push(("paragraph".to_owned(), text.as_str().to_owned()));
                for section in summary.sections {
                    stand(material, &section.sentences);
                    out.push((section.key, join(&section.sentences)));
                }
            }
            WrapUpBody::FollowUp(follow_up) => {
                stand(material, std::slice::from_ref(&follow_up.sentence));
                let due = follow_up.due.map(|due| {
                    let date = due.date.map(|date| date.to_string()).unwrap_or("?".to_owned());
                    let time = due.time.map(|time| time.strftime("%H:%M").to_string());
                    let limit = if due.is_limit { "by " } else { "" };
                    format!("{limit}{date} {}", time.unwrap_or_default())
                });
                let text = format!(
                    "{} of {}: {} ({})",
                    follow_up.kind.as_str(),
                    follow_up.promised_by.as_str(),
                    follow_up.sentence.text.as_str(),
                    due.unwrap_or_default().trim()
                );
                out.push(("followup".to_owned(), text));
            }
            WrapUpBody::Disposition(proposal) => {
                let codes: Vec<_> = proposal.choices.into_iter().map(|one| one.code).collect();
                out.push(("disposition".to_owned(), codes.join(" | ")));
            }
            WrapUpBody::Email(email) => {
                let parts: Vec<_> = email.parts.iter().map(|part| part.text.as_str()).collect();
                out.push(("email".to_owned(), parts.join("\n")));
            }
            WrapUpBody::Article(article) => {
                stand(material, &article.answer);
                let text =
                    format!("{} → {}", article.question.text.as_str(), join(&article.answer));
                out.push(("article".to_owned(), text));
            }
        }
    }
    out
}

/// Each sentence stands word for word where it says.
fn stand(material: &Material, sentences: &[ProvenSentence]) {
    for sentence in sentences {
        assert!(!sentence.proofs.is_empty(), "{}", sentence.text.as_str());
        for proof in &sentence.proofs {
            let Proof::Turn(citation) = proof else { continue };
            let turn = material.turns.iter().find(|turn| turn.id == citation.turn_id);
            let text = turn.expect("the turn exists").text.as_str();
            let length = citation.end_chars - citation.start_chars;
            let slice: String = text.chars().skip(citation.start_chars).take(length).collect();
            assert_eq!(slice, citation.quote.as_str());
        }
    }
}

#[test]
fn calls_are_wrapped_up_as_they_went() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrapups");
    let entries = std::fs::read_dir(folder).expect("the folder").flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 5);
    let mut failures = Vec::new();
    for file in &files {
        let name = file.file_stem().expect("a name").to_string_lossy();
        let text = std::fs::read_to_string(file).expect("readable");
        let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let material = Material { turns: turns(&case), passages: Vec::new() };
        let written = written(&case, &material);
        let shown: String = written.iter().map(|(of, text)| format!("  {of}: {text}\n")).collect();
        println!("{name}\n{shown}");
        let mut fail = |what: String| failures.push(format!("{name}: {what}\n{shown}"));
        for expectation in &case.expect {
            let found: Vec<&str> = written
                .iter()
                .filter(|(of, _)| *of == expectation.of)
                .map(|(_, text)| text.as_str())
                .collect();
            let found = found.join("\n");
            for words in expectation.holds.iter().filter(|words| !found.contains(words.as_str())) {
                fail(format!("{} lacks {words:?}", expectation.of));
            }
            for words in expectation.lacks.iter().filter(|words| found.contains(words.as_str())) {
                fail(format!("{} holds {words:?}", expectation.of));
            }
        }
        for key in case.absent.iter().filter(|key| written.iter().any(|(of, _)| of == *key)) {
            fail(format!("{key} is there"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Nothing is compared with everything: twice the turns take about twice the time.
#[test]
fn eight_hours_of_turns_take_a_moment() {
    let case = |times: usize| {
        let name = "outage-cancel-threat".to_owned();
        let case = Case {
            call: Some(name),
            turns: None,
            language: english(),
            began: "2026-03-02T10:00[UTC]".to_owned(),
            dispositions: Vec::new(),
            expect: Vec::new(),
            absent: Vec::new(),
        };
        let mut all = Vec::new();
        for round in 0..times {
            for mut turn in turns(&case) {
                turn.id = format!("{}-{round}", turn.id).into();
                all.push(turn);
            }
        }
        (case, Material { turns: all, passages: Vec::new() })
    };
    let (case, material) = case(8 * 60 * 60 / 100);
    let begun = std::time::Instant::now();
    assert!(written(&case, &material).len() > 3);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
