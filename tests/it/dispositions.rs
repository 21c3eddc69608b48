//! Dispositions by meaning: labels that nobody says word for word.

use std::time::Duration;

use backchannel::app::App;
use backchannel::config::{Config, Disposition};
use backchannel::domain::{DispositionProposal, Party, PartyId, Redacted, Role, Turn, TurnId};
use backchannel::flow::wrapup::{Circumstances, DispositionMeaning, DispositionRule, Reading};
use backchannel::models::embedder::Embedder as _;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use backchannel::models::{Material, installed};
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::service::{PATIENCE, begin_call, double_charge, follow, kind, say};

#[derive(Deserialize)]
struct Request {
    utterance: String,
    intent: String,
}

/// `GetQuote` → `get quote`
fn label(intent: &str) -> String {
    let spaced = intent.chars().flat_map(|c| {
        let space = if c.is_uppercase() { " " } else { "" };
        space.chars().chain(c.to_lowercase())
    });
    spaced.collect::<String>().trim().to_owned()
}

fn said(text: &str) -> Material {
    let turn = Turn {
        id: TurnId::from("t-1"),
        party: Party { id: PartyId::from("p-1"), role: Role::Customer, name: None },
        start_ms: 0,
        end_ms: 0,
        text: Redacted::vouched(text),
        words: Vec::new(),
        mean_logprob: None,
        display_text: None,
        language: "en".to_owned(),
    };
    Material { turns: vec![turn], ..Material::default() }
}

/// Spoken requests of `natcs-intents`, by the names of their intents alone: of what is proposed most is
/// right, and where the right one isn't in the list, next to nothing is.
#[test]
fn a_label_is_proposed_where_a_request_comes_near_it() {
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/natcs-intents/development.jsonl");
    let text = std::fs::read_to_string(file).expect("the data beside the project");
    let requests: Vec<Request> =
        text.lines().map(|line| serde_json::from_str(line).expect("a request")).collect();
    let mut codes: Vec<&str> = requests.iter().map(|one| one.intent.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let rule = |code: &&str| DispositionRule {
        code: (*code).to_owned(),
        label: label(code),
        phrases: Vec::new(),
    };
    let rules: Vec<DispositionRule> = codes.iter().map(rule).collect();
    let folder = installed("all-minilm-l6-v2").expect("`make models` has pulled it").folder;
    let mut model = MiniLm::open(&MiniLmFiles::in_folder(&folder), 2).expect("the model");
    let mut embed = |text: &str| model.embed(&[text]).expect("it embeds").remove(0);
    let vectors: Vec<Vec<f32>> = rules.iter().map(|rule| embed(&rule.text_to_embed())).collect();
    let began = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let circumstances = Circumstances::new(began, Vec::new());

    let (mut read, mut proposed, mut right, mut wrong) = (0, 0, 0, 0);
    for request in &requests {
        let material = said(&request.utterance);
        let turns = [(TurnId::from("t-1"), embed(&request.utterance))];
        let propose = |wanted: &dyn Fn(&str) -> bool| -> Option<DispositionProposal> {
            let kept: Vec<usize> = (0..rules.len()).filter(|at| wanted(&rules[*at].code)).collect();
            let of = |at: &usize| (rules[*at].clone(), vectors[*at].clone());
            let (rules, vectors): (Vec<_>, Vec<_>) = kept.iter().map(of).unzip();
            let meaning = DispositionMeaning { turns: turns.clone().into(), rules: vectors.into() };
            let reading = Reading::of(&material, &circumstances).ok()?;
            reading.with_meaning(&meaning).disposition(&rules).ok()
        };
        let Some(found) = propose(&|_| true) else { continue };
        read += 1;
        proposed += usize::from(!found.choices.is_empty());
        let is_right = found.choices.first().is_some_and(|one| one.code == request.intent);
        right += usize::from(is_right);
        let without = propose(&|code| code != request.intent).expect("it was read before");
        wrong += usize::from(!without.choices.is_empty());
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    println!(
        "{read} read, {:.3} proposed, {:.3} of them right, {:.3} where it isn't listed",
        share(proposed, read),
        share(right, proposed),
        share(wrong, read)
    );
    assert!(share(proposed, read) > 0.45, "{proposed} of {read}");
    assert!(share(right, proposed) > 0.85, "{right} of {proposed}");
    assert!(share(wrong, read) < 0.12, "{wrong} of {read}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_call_is_understood_without_its_words() {
    let data = tempfile::tempdir().expect("a folder");
    let mut config = Config::default();
    config.serve.listen.set_port(0);
    config.store.folder = data.path().to_owned();
    let choice = |code: &str, label: &str| Disposition {
        code: code.to_owned(),
        label: label.to_owned(),
        phrases: Vec::new(),
    };
    config.wrapup.dispositions = vec![
        choice("moving", "Moving to another flat"),
        choice("double", "The bank account was charged two times in a month"),
    ];
    let app = App::build(config, true).await.expect("`make models` has pulled what it needs");
    let (access, stop) = (app.access().clone(), app.stop_token());
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(app.run(move |_| ready.send(()).expect("somebody waits")));
    is_ready.await.expect("it gets ready");
    let following = tokio::spawn(follow(access.clone()));

    let mut call = begin_call(&access, &["customer"]).await;
    say(&mut call, &double_charge()[0][8 * 5_000..8 * 15_000], 1).await;
    // The final comes after its silence, and its vector after that.
    tokio::time::sleep(Duration::from_secs(4)).await;
    call.send(Message::text(r#"{"type":"stop"}"#)).await.expect("sent");
    while let Ok(Some(Ok(message))) = timeout(PATIENCE, call.next()).await {
        if message.is_close() {
            break;
        }
    }
    stop.cancel();
    running.await.expect("no panic").expect("an orderly end");
    let events = following.await.expect("no panic");
    let of = |wanted: &str| -> Vec<&Value> {
        events.iter().filter(|event| kind(event) == wanted).map(|event| &event["data"]).collect()
    };
    let (turns, dispositions) = (of("turn.final"), of("wrapup.disposition"));
    let choice = &dispositions.first().expect("a disposition")["choices"][0];
    assert_eq!(choice["code"], "double", "{dispositions:#?}");
    assert_eq!(choice["citations"][0]["turn_id"], turns[0]["turn_id"]);
}
