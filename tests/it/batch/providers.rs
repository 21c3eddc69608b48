//! `summarize` with the provider of the settings: a server that speaks the protocol, in this process.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use super::{lines, p, summarize, told, write_conversations};
use crate::llm::fake::{Fake, Reply, Step, status};

struct Desk {
    folder: tempfile::TempDir,
    fake: Fake,
}

impl Desk {
    async fn new(count: usize, chain: &str, replies: Vec<Reply>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_conversations(&folder.path().join("in.jsonl"), 0..count);
        let fake = Fake::new(replies).await;
        let desk = Self { folder, fake };
        desk.settle(chain);
        desk
    }

    fn settle(&self, chain: &str) {
        let settings = format!(
            "[generation]\nchain = {chain}\n[generation.providers.lab]\nkind = \"openai\"\n\
             url = \"{}\"\nmodel = \"tiny\"\nretries = 0\nprice_prompt = 2.0\nprice_written = 8.0\n",
            self.fake.url
        );
        std::fs::write(self.at("settings.toml"), settings).expect("written");
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn run(&self, more: &[&str]) -> Output {
        let (input, output, settings) =
            (self.at("in.jsonl"), self.at("out.jsonl"), self.at("settings.toml"));
        let more: Vec<PathBuf> = more.iter().map(PathBuf::from).collect();
        let run = move || {
            let mut all: Vec<&Path> = vec![input.as_path(), p("-q"), p("-o"), output.as_path()];
            all.extend([p("--config"), settings.as_path()]);
            all.extend(more.iter().map(PathBuf::as_path));
            summarize(&all)
        };
        tokio::task::spawn_blocking(run).await.expect("no panic")
    }

    fn provenance(&self) -> Vec<Value> {
        lines(&self.at("out.jsonl.provenance.jsonl"))
    }
}

/// One sentence that holds in each of the conversations, and one that holds in none.
pub(super) fn promise(prompt_tokens: u64, written_tokens: u64) -> Reply {
    let text = json!({"sections": [{"section": "promises", "sentences": [
        {"text": "The agent will call the customer back tomorrow at 3 pm.", "cites": ["t-4"]},
        {"text": "The agent promised a refund of 987 pounds.", "cites": ["t-4"]},
    ]}]});
    let text = Step::Text(Box::leak(text.to_string().into_boxed_str()));
    let usage = Step::Usage(prompt_tokens, written_tokens);
    Reply::Stream(vec![text, Step::Finish("stop"), usage, Step::Done])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_provider_of_the_settings_writes_within_its_budget() {
    let desk = Desk::new(70, "[\"lab\"]", vec![promise(11, 4)]).await;
    // Each answer takes 15 tokens, but far more is reserved while it is under way: of eight at once,
    // most must wait for the others.
    let done = desk.run(&["--what=summary", "--concurrency=8", "--budget=6000"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    assert_eq!(desk.fake.seen().len(), 70);
    let output = lines(&desk.at("out.jsonl"));
    assert_eq!(output.len(), 70);
    for line in &output {
        let text = line.to_string();
        assert!(text.contains("will call the customer back tomorrow at 3 pm"), "{line}");
        assert!(!line["summary"].to_string().contains("987"), "{line}");
    }
    for by in desk.provenance() {
        assert_eq!(by["authors"][0]["provider"], "lab");
        assert_eq!(by["authors"][0]["model"], "tiny-2026", "the name that the server gives");
        assert!(by["authors"][0]["prompt"]["sha256"].as_str().is_some(), "{by}");
        assert_eq!((&by["prompt_tokens"], &by["written_tokens"]), (&json!(11), &json!(4)));
        assert_eq!((&by["cost"], &by["struck"]), (&json!(0.000_054), &json!(1)), "{by}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_up_budget_is_gone_on_from_with_a_larger_one() {
    let desk = Desk::new(70, "[\"lab\", \"extractive\"]", vec![promise(1_000, 400)]).await;
    // Each costs 0.0052.
    let first = desk.run(&["--what=summary", "--max-cost=0.1"]).await;
    assert_eq!(first.status.code(), Some(75), "{}", told(&first));
    assert!(told(&first).contains("the budget is used up"), "{}", told(&first));
    let asked = desk.fake.seen().len();
    assert!((10..20).contains(&asked) && !desk.at("out.jsonl").exists(), "{asked}");
    let again = desk.run(&["--what=summary", "--max-cost=0.1"]).await;
    assert_eq!(again.status.code(), Some(75), "{}", told(&again));
    assert!(desk.fake.seen().len() < 20, "the same budget still is used up");
    let done = desk.run(&["--what=summary"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    assert_eq!(desk.fake.seen().len(), 70, "each is asked for once");
    // Nobody cheaper stepped in because of the budget.
    assert!(desk.provenance().iter().all(|by| by["authors"][0]["provider"] == "lab"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_comes_back_writes_all_though_it_was_left_alone() {
    // After five it is left alone for longer than a conversation is tried.
    let down = std::iter::repeat_with(|| status(503)).take(5);
    let desk = Desk::new(3, "[\"lab\"]", down.chain([promise(11, 4)]).collect()).await;
    let done = desk.run(&["--what=summary"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    assert_eq!(lines(&desk.at("out.jsonl")).len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_down_is_waited_for_unless_somebody_may_step_in() {
    let down = || vec![status(503)];
    let desk = Desk::new(3, "[\"lab\"]", down()).await;
    let waits = desk.run(&["--what=summary"]).await;
    assert_eq!(waits.status.code(), Some(75), "{}", told(&waits));
    assert!(told(&waits).contains("provider lab"), "{}", told(&waits));
    assert!(!desk.at("out.jsonl").exists());

    let desk = Desk::new(3, "[\"lab\", \"extractive\"]", down()).await;
    let done = desk.run(&["--what=summary"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    assert!(desk.provenance().iter().all(|by| by["authors"][0]["provider"] == "extractive"));
    // Another chain is another batch.
    desk.settle("[\"lab\"]");
    let other = desk.run(&["--what=summary"]).await;
    assert_eq!(other.status.code(), Some(2), "{}", told(&other));
    assert!(told(&other).contains("begun with other settings"), "{}", told(&other));
}

fn is_email(body: &Value) -> bool {
    body["response_format"].to_string().contains("paragraphs")
}

fn empty(body: &Value) -> String {
    let nothing = json!({"text": "", "cites": []});
    match is_email(body) {
        true => json!({"subject": nothing, "paragraphs": []}).to_string(),
        false => json!({"sections": []}).to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_fails_costs_the_others_nothing() {
    let writes = || Reply::Told(empty, std::time::Duration::ZERO);
    let desk = Desk::new(1, "[\"lab\"]", vec![writes(), status(503), writes()]).await;
    let done = desk.run(&["--what=summary,email"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let seen = desk.fake.seen();
    let are_emails: Vec<bool> = seen.iter().map(|seen| is_email(&seen.body)).collect();
    assert_eq!(are_emails, [false, true, true], "the summary was there already");
    let by = &desk.provenance()[0];
    assert_eq!((&by["prompt_tokens"], &by["written_tokens"]), (&json!(22), &json!(8)), "{by}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_waits_for_the_right_one() {
    let desk = Desk::new(40, "[\"lab\"]", vec![status(401)]).await;
    let waits = desk.run(&["--what=summary"]).await;
    assert_eq!(waits.status.code(), Some(75), "{}", told(&waits));
    assert!(!desk.at("out.jsonl").exists());
    assert!(told(&waits).contains("run the same command to go on"), "{}", told(&waits));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_without_form_are_errors_of_their_conversations() {
    let poem = Reply::Stream(vec![Step::Text("A poem."), Step::Finish("stop"), Step::Done]);
    // Each is asked for twice. After five such answers the provider is left alone, and whatever is left waits for it.
    let desk = Desk::new(2, "[\"lab\"]", vec![poem]).await;
    let done = desk.run(&["--what=summary"]).await;
    assert_eq!(done.status.code(), Some(2), "{}", told(&done));
    let errors = lines(&desk.at("out.jsonl.errors.jsonl"));
    assert_eq!(errors.len(), 2);
    for error in errors {
        let reason = error["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("doesn't have the form"), "{error}");
    }
}
