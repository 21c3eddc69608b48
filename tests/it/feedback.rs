//! What agents make of cards, from the log into the ranking, and stored calls once more.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::app::{Access, App};
use backchannel::config::Config;
use backchannel::domain::*;
use backchannel::evaluate::cards::{calls_of, play};
use backchannel::evaluate::feedback::{Agents, Half, Plan, Questions, compare};
use backchannel::evaluate::live::Reference;
use backchannel::flow::suggestion::SuggestionSettings;
use backchannel::knowledge::{Library, LibrarySettings, SearchHit, SearchRequest, cache_folder};
use backchannel::store::{SqliteStore, Store};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::scenarios::{embedder, library};
use super::service::{PATIENCE, key};

async fn log_in(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, Arc::new(|_: &[_]| ())).await.expect("the log opens")
}

async fn append(store: &SqliteStore, tenant: &str, conversation: &str, events: Vec<EventBody>) {
    let events = events.into_iter().map(|body| NewEvent::at(Timestamp::now(), body)).collect();
    store.append(&tenant.into(), &conversation.into(), events).await.expect("appended");
}

fn customer() -> Party {
    Party { id: "p-1".into(), role: Role::Customer, name: None }
}

fn started() -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: None,
        parties: vec![customer()],
        attributes: [].into(),
    })
}

fn ended() -> EventBody {
    let reason = EndReason::Hangup;
    EventBody::ConversationEnded(ConversationEnded { reason, duration_ms: 9_000 })
}

fn turn(number: usize, party: Party, (start_ms, end_ms): (u64, u64), text: &str) -> EventBody {
    EventBody::TurnFinal(Turn {
        id: TurnId::from(format!("t-{number}")),
        party,
        start_ms,
        end_ms,
        text: Redacted::vouched(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: "en".into(),
    })
}

fn offered(id: &str, turn: usize, answer: Answer) -> EventBody {
    EventBody::SuggestionOffered(Card {
        id: id.into(),
        kind: CardKind::Answer,
        answer,
        trigger_turn: TurnId::from(format!("t-{turn}")),
        question: None,
        latency_ms: 30,
    })
}

fn verdict(card: &str, kind: VerdictKind) -> EventBody {
    EventBody::SuggestionVerdict(Verdict { card_id: card.into(), kind, edited_text: None })
}

/// A card that quotes a hit.
fn quoting(hit: &SearchHit) -> Answer {
    Answer {
        title: hit.article.title.clone(),
        heading: hit.passage().heading.clone(),
        text: hit.quote().to_owned(),
        citations: vec![Citation {
            article_id: hit.article.id.clone(),
            passage_id: hit.passage().id.clone(),
            revision: hit.article.revision,
            start_chars: hit.sentence.start_chars,
            end_chars: hit.sentence.end_chars,
            quote: hit.quote().to_owned(),
        }],
        score: 0.6,
        why: Vec::new(),
        generator: Generator::Extractive,
        valid_from: None,
        is_verbatim: false,
    }
}

/// A question of the sample base to which two articles are about as near.
fn undecided(library: &Library) -> (String, SearchHit, SearchHit) {
    let questions = [
        "why have two payments come out of my account in november",
        "it's gone up by six quid and I don't know why",
        "can I keep my number if I leave",
        "how long does it take to get it fixed",
        "will I be charged if I cancel early",
        "where do I find last month's invoice",
    ];
    for question in questions {
        let hits = library.search(&SearchRequest::new(question)).expect("searched").hits;
        let other = hits.iter().find(|hit| hit.article.id != hits[0].article.id);
        if let Some(other) = other
            && hits[0].score - other.score < 0.05
            && hits[0].features.exact == 0
        {
            return (question.to_owned(), hits[0].clone(), other.clone());
        }
    }
    panic!("the sample base decides every one of these questions");
}

/// One call a card: the question, and a card that quotes this hit.
async fn offer(store: &SqliteStore, tenant: &str, name: &str, question: &str, hit: &SearchHit) {
    let card = offered(&format!("k-{tenant}-{name}"), 1, quoting(hit));
    let asked = turn(1, customer(), (1_000, 3_000), question);
    append(store, tenant, &format!("c-{name}"), vec![started(), asked, card, ended()]).await;
}

/// A running demo over a log.
struct Running {
    access: Access,
    stop: tokio_util::sync::CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(data: &Path, feedback: bool) -> Self {
        let mut config = Config::default();
        config.serve.listen.set_port(0);
        config.store.folder = data.to_owned();
        config.knowledge.feedback = feedback;
        let app = App::build(config, true).await.expect("`make models` has pulled what it needs");
        let (access, stop) = (app.access().clone(), app.stop_token());
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let served = tokio::spawn(async move {
            let done = app.run(move |_| ready.send(()).expect("somebody waits")).await;
            done.expect("an orderly end");
        });
        is_ready.await.expect("it gets ready");
        Self { access, stop, served }
    }

    async fn search(&self, question: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}/v1/articles/search", self.access.url));
        let request = request.query(&[("q", question)]).bearer_auth(key(&self.access));
        request.send().await.expect("answers").json().await.expect("JSON")
    }

    /// The first hit's article and its reasons, as soon as vectors take part and `is_it`.
    async fn first_hit(&self, question: &str, is_it: impl Fn(&str) -> bool) -> (String, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            let found = self.search(question).await;
            let hit = &found["items"][0];
            let article = hit["article_id"].as_str().expect("an article").to_owned();
            if found["degraded"] == false && is_it(&article) {
                return (article, hit["why"].to_string());
            }
            assert!(Instant::now() < until, "{article} is still first: {found}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn judge(&self, card: &str, verdict: &str) {
        let url = format!("{}/v1/suggestions/{card}/verdict", self.access.url);
        let request = reqwest::Client::new().post(url).bearer_auth(key(&self.access));
        let answer = request.json(&json!({"verdict": verdict})).send().await.expect("answers");
        assert_eq!(answer.status(), 200, "{card}");
    }

    async fn end(self) {
        self.stop.cancel();
        self.served.await.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_move_the_next_search_and_a_restart_keeps_that() {
    let data = tempfile::tempdir().expect("a folder");
    let (question, first, second) =
        tokio::task::spawn_blocking(|| undecided(&library())).await.expect("no panic");
    let (first_id, second_id) = (first.article.id.to_string(), second.article.id.to_string());
    let store = log_in(data.path()).await;
    for number in 0..8 {
        offer(&store, "demo", &format!("first-{number}"), &question, &first).await;
        offer(&store, "demo", &format!("second-{number}"), &question, &second).await;
        // Another tenant thinks the opposite, and that is its own affair.
        let name = format!("other-{number}");
        offer(&store, "other", &name, &question, &first).await;
        let accepted = vec![verdict(&format!("k-other-{name}"), VerdictKind::Accepted)];
        append(&store, "other", &format!("c-{name}"), accepted).await;
    }
    store.close().await;
    drop(store);

    let service = Running::start(data.path(), true).await;
    service.first_hit(&question, |article| article == first_id).await;
    for number in 0..8 {
        service.judge(&format!("k-demo-first-{number}"), "dismissed").await;
        service.judge(&format!("k-demo-second-{number}"), "accepted").await;
    }
    let (_, why) = service.first_hit(&question, |article| article == second_id).await;
    assert!(why.contains("agents accepted it for such questions: "), "{why}");
    service.end().await;

    let service = Running::start(data.path(), true).await;
    let (_, why) = service.first_hit(&question, |article| article == second_id).await;
    assert!(why.contains("agents accepted it for such questions: 8 of 8"), "{why}");
    // They change their minds about all of them.
    for number in 0..8 {
        service.judge(&format!("k-demo-first-{number}"), "accepted").await;
        service.judge(&format!("k-demo-second-{number}"), "dismissed").await;
    }
    service.first_hit(&question, |article| article == first_id).await;
    for number in 0..8 {
        service.judge(&format!("k-demo-first-{number}"), "dismissed").await;
        service.judge(&format!("k-demo-second-{number}"), "accepted").await;
    }
    service.first_hit(&question, |article| article == second_id).await;
    service.end().await;

    let service = Running::start(data.path(), false).await;
    let (article, why) = service.first_hit(&question, |_| true).await;
    assert_eq!(article, first_id, "knowledge.feedback is off");
    assert!(!why.contains("agents"), "{why}");
    service.end().await;
}

/// What the log of a written call would be: its turns, the cards that it gets, and their scores.
async fn write_call(
    store: &SqliteStore,
    call: &Reference,
    cards: &[(usize, Answer)],
    name: &str,
    judged: Option<(usize, VerdictKind)>,
) {
    let mut events = vec![started()];
    for (number, said) in call.turns.iter().enumerate() {
        let role = Role::parse(&said.speaker).expect("a role");
        let party = Party { id: said.speaker.as_str().into(), role, name: None };
        let text = said.text_without_secrets.as_ref().unwrap_or(&said.text);
        events.push(turn(number, party, (said.start_ms, said.end_ms), text));
        let card = cards.iter().find(|(turn, _)| *turn == number);
        if let Some((turn, answer)) = card {
            events.push(offered(&format!("k-{name}-{turn}"), *turn, answer.clone()));
        }
    }
    events.push(ended());
    if let Some((turn, kind)) = judged {
        events.push(verdict(&format!("k-{name}-{turn}"), kind));
    }
    append(store, "default", &format!("c-{name}"), events).await;
}

/// So many times the same card is dismissed in the same call.
const DISMISSED: usize = 12;

fn replay_log(data: &Path, arguments: &[&str]) -> Output {
    let knowledge = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    Command::new(env!("CARGO_BIN_EXE_backchannel"))
        .args(["replay-log", "--store"])
        .arg(data)
        .args(arguments)
        .env("BACKCHANNEL__KNOWLEDGE__FOLDER", knowledge)
        .output()
        .expect("it runs")
}

/// The JSON lines of a run that went well; the last one has the sums.
fn lines(output: &Output) -> Vec<Value> {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_call_is_rerun_and_judged_by_what_came_before_it() {
    let data = tempfile::tempdir().expect("a folder");
    let calls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let (_, call) = calls_of(&calls).expect("the demo calls").remove(0);
    let cards: Vec<(usize, Answer)> = {
        let call = call.clone();
        let played = move || {
            let results = play(&call, &library(), &SuggestionSettings::default()).expect("played");
            results.into_iter().filter_map(|turn| Some((turn.index, turn.card?))).collect()
        };
        tokio::task::spawn_blocking(played).await.expect("no panic")
    };
    assert!(cards.len() >= 3, "{cards:?}");
    let doubtful = cards.iter().min_by(|a, b| a.1.score.total_cmp(&b.1.score)).expect("cards").0;
    let store = log_in(data.path()).await;
    let judged = Some((doubtful, VerdictKind::Dismissed));
    write_call(&store, &call, &cards, "first", judged).await;
    for number in 1..DISMISSED {
        write_call(&store, &call, &cards, &format!("{number}"), judged).await;
    }
    write_call(&store, &call, &cards, "last", None).await;

    // The log stays open: a service may be writing to it.
    let plain =
        replay_log(data.path(), &["c-first", "c-last", "--against", "ranking=plain", "--json"]);
    let plain = lines(&plain);
    let all = cards.len();
    assert_eq!(plain.len(), 3);
    assert_eq!(plain[2]["sums"][0]["same"], 2 * all, "the cards of the same words: {plain:?}");
    assert_eq!(
        (&plain[2]["sums"][0]["dismissed"], &plain[2]["sums"][0]["dismissed_not_shown"]),
        (&json!(1), &json!(0))
    );

    let both = ["--all", "--json", "--against", "ranking=plain", "--against", "ranking=feedback"];
    let found = lines(&replay_log(data.path(), &both));
    assert_eq!(found.len(), 2 * (DISMISSED + 1) + 1);
    let by_feedback = |conversation: &str| {
        let is_it = |line: &&Value| {
            line["conversation"] == conversation && line["against"] == "ranking=feedback"
        };
        found.iter().find(is_it).expect("it is rerun")["cards"].as_array().expect("cards").clone()
    };
    assert!(
        by_feedback("c-first").iter().all(|card| card["change"] == "same"),
        "nothing came before"
    );
    let last = by_feedback("c-last");
    let then =
        last.iter().find(|card| card["turn_id"] == format!("t-{doubtful}")).expect("it was shown");
    assert_ne!(then["change"], "same", "all agents before dismissed it: {then}");
    let sums = &found[found.len() - 1]["sums"];
    assert_eq!(
        (&sums[0]["dismissed"], &sums[0]["dismissed_not_shown"]),
        (&json!(DISMISSED), &json!(0))
    );
    let avoided = sums[1]["dismissed_not_shown"].as_u64().expect("a count");
    assert!(
        (1..7).contains(&avoided),
        "the first few were shown before anybody had judged: {sums}"
    );

    let text = replay_log(data.path(), &["c-last", "--against", "ranking=feedback"]);
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    assert!(text.starts_with(&format!("c-last: {} turns", call.turns.len())), "{text}");
    assert!(text.contains("with ranking=feedback") && text.contains("    same  "), "{text}");

    for (arguments, said) in [
        (&["c-none"][..], "no conversation c-none"),
        (&["c-last", "--against", "ranking=best"], "plain or feedback"),
        (&["c-last", "--all"], "cannot be used with"),
        (&[], "required"),
        (&["c-last", "--tenant", "other"], "of the tenant other"),
    ] {
        let refused = replay_log(data.path(), arguments);
        let error = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    let nothing = tempfile::tempdir().expect("a folder");
    let refused = replay_log(nothing.path(), &["--all"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no event log in it"));
    store.close().await;
}

#[test]
fn verdicts_teach_what_agents_know_and_coins_teach_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let settings = |source| {
        let mut settings = LibrarySettings::new(source);
        settings.cache = cache_folder(&|name| std::env::var(name).ok());
        settings.query_patience = PATIENCE;
        settings
    };
    let questions = Questions::open(&folder, settings).expect("the sample base");
    let embedder = embedder();
    questions.library.attach_vectors(embedder.clone(), |_, _| {}).expect("vectors");
    let [heard, other] = questions.halves(Half::Test, 1);
    // More cards than the product shows, so that some of them are wrong.
    let taught = |agents| {
        let plan = Plan { calls: 250, agents, threshold: 0.2, seed: 1 };
        compare(&questions.library, &embedder, [&heard, &other], &plan).expect("played")
    };
    let knowing = taught(Agents::Knowing { mistaken: 0.1 });
    let tossing = taught(Agents::Tossing { accepted: 0.5 });
    println!("knowing: {knowing:?}\ntossing: {tossing:?}");
    assert!(knowing.judged > 80 && tossing.judged > 80);
    let [before, after] = knowing.heard;
    assert!(after.recall_at_1 >= before.recall_at_1);
    assert!(after.wrong_cards + after.false_cards < before.wrong_cards + before.false_cards);
    assert!(after.right_cards + 2 >= before.right_cards);
    for [before, after] in [knowing.other_words, tossing.heard, tossing.other_words] {
        assert!(after.recall_at_1 >= before.recall_at_1 - 0.011, "one question at most");
        assert!(after.right_cards + 2 >= before.right_cards);
        assert!(
            after.wrong_cards + after.false_cards <= before.wrong_cards + before.false_cards + 1
        );
    }
}
