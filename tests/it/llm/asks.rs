//! The agent's own question to the whole service, whose provider is a scripted server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backchannel::app::App;
use backchannel::config::Config;
use backchannel::domain::{
    AccessRole, Channel, ConversationStarted, Direction, EventBody, NewEvent, Party, Redacted,
    Role, SuggestedQuestion, Turn,
};
use backchannel::serve::auth::MadeKey;
use backchannel::store::access::{AccessFile, KeyRow};
use backchannel::store::{SqliteStore, Store};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::fake::{Fake, Reply, Step, answer, status};
use super::voices::{PASSAGE, knowledge, says};

pub const KEY: &str = "bck_for_this_test";
const QUESTION: &str = "When does the money from a duplicate payment come back?";

pub struct Service {
    pub url: String,
    pub client: reqwest::Client,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<Result<(), backchannel::app::AppError>>,
    folders: [tempfile::TempDir; 2],
}

fn settings(fake: Option<&Fake>, data: &Path, articles: &Path, more: &str) -> Config {
    let generation = fake.map_or_else(String::new, |fake| {
        format!(
            "[generation]\nchain = [\"lab\", \"extractive\"]\n[generation.providers.lab]\n\
             kind = \"openai\"\nurl = \"{}\"\nmodel = \"tiny\"\nretries = 0\n{more}",
            fake.url
        )
    });
    let text = format!(
        "{generation}[suggestion]\nanswer_ms = 1500\n[auth]\napi_key = \"{KEY}\"\n\
         [calls]\nmax = 4\n[serve]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = {data:?}\n\
         [knowledge]\nfolder = {articles:?}\n"
    );
    let file = data.join("settings.toml");
    std::fs::write(&file, text).expect("written");
    Config::load(Some(&file), std::iter::empty()).expect("they are right")
}

impl Service {
    /// With one call, in which the customer has said what it is about.
    async fn open(fake: Option<&Fake>, verbatim: &[&str]) -> Self {
        Self::open_with(fake, verbatim, Vec::new()).await
    }

    /// And in which more has happened.
    pub async fn open_with(fake: Option<&Fake>, verbatim: &[&str], more: Vec<EventBody>) -> Self {
        let (data, articles) = (tempfile::tempdir().expect("a folder"), knowledge(verbatim));
        let config = settings(fake, data.path(), articles.path(), "");
        let store =
            SqliteStore::open(data.path(), Arc::new(|_: &[_]| ())).await.expect("the store opens");
        let party = Party { id: "p-1".into(), role: Role::Customer, name: None };
        let started = EventBody::ConversationStarted(ConversationStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            external_id: None,
            parties: vec![party.clone()],
            attributes: Default::default(),
        });
        let turn = EventBody::TurnFinal(Turn {
            id: "t-1-1".into(),
            party,
            start_ms: 0,
            end_ms: 4_000,
            text: Redacted::vouched("I want 500 pounds. My reference is QX-7."),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "en".to_owned(),
        });
        let bodies = [started, turn].into_iter().chain(more);
        let events = bodies.map(|body| NewEvent::at(Timestamp::now(), body)).collect();
        // The tenant of the one key that settings have.
        store.append(&"default".into(), &"c-1".into(), events).await.expect("appended");
        store.close().await;
        Self::start(config, [data, articles]).await
    }

    async fn start(config: Config, folders: [tempfile::TempDir; 2]) -> Self {
        let app = App::build(config, false).await.expect("`make models` has pulled what it needs");
        let (url, stop) = (app.access().url.clone(), app.stop_token());
        let running = tokio::spawn(app.run(|_| ()));
        let client = reqwest::Client::new();
        Self { url, client, stop, running, folders }
    }

    /// Another process on the same log.
    async fn again(self, fake: &Fake, more: &str) -> Self {
        self.stop.cancel();
        self.running.await.expect("no panic").expect("an orderly end");
        let config = settings(Some(fake), self.folders[0].path(), self.folders[1].path(), more);
        Self::start(config, self.folders).await
    }

    fn post(&self, question: &str) -> reqwest::RequestBuilder {
        self.post_json(&json!({"question": question}))
    }

    fn post_json(&self, asked: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/conversations/c-1/ask", self.url);
        self.client.post(url).bearer_auth(KEY).json(asked)
    }

    async fn ask(&self, question: &str) -> Value {
        let answer = self.post(question).send().await.expect("answers");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    /// The steps of a streamed answer, by name.
    async fn steps(&self, question: &str) -> Vec<(String, Value)> {
        let request = self.post(question).header("accept", "text/event-stream");
        let text = request.send().await.expect("answers").text().await.expect("text");
        steps(&text)
    }

    pub async fn close(self) {
        self.stop.cancel();
        self.running.await.expect("no panic").expect("an orderly end");
    }
}

fn steps(text: &str) -> Vec<(String, Value)> {
    let frames = text.split("\n\n").filter_map(|frame| frame.split_once("\ndata: "));
    let step = |(name, data): (&str, &str)| {
        let name = name.trim_start_matches("event: ").to_owned();
        (name, serde_json::from_str(data).expect("JSON"))
    };
    frames.map(step).collect()
}

fn names(steps: &[(String, Value)]) -> Vec<&str> {
    steps.iter().map(|(name, _)| name.as_str()).collect()
}

fn text_of(answered: &Value) -> String {
    answered["answer"]["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_streamed_by_proven_sentences() {
    let first = r#"{"sentences":[{"text":"We refund a duplicate direct debit within 5 working days.","cites":["billing/duplicate-payments#3"]}"#;
    let rest = r#",{"text":"The same-day refund is up to £900.","cites":["billing/duplicate-payments#3"]},{"text":"The customer will get 500 pounds.","cites":["billing/duplicate-payments#3"]},{"text":"The customer will get 500 pounds.","cites":["t-1-1"]},{"text":"The customer's reference is QX-7.","cites":["t-1-1"]}],"ask_back":""}"#;
    let fake = Fake::new([Reply::Stream(vec![
        Step::Text(first),
        Step::Pause(Duration::from_millis(600)),
        Step::Text(rest),
        Step::Finish("stop"),
        Step::Done,
    ])])
    .await;
    let service = Service::open(Some(&fake), &[]).await;

    let request = service.post(QUESTION).header("accept", "text/event-stream");
    let mut bytes = request.send().await.expect("answers").bytes_stream();
    let mut text = String::new();
    while !text.contains("event: sentence") {
        let chunk = bytes.next().await.expect("more").expect("bytes");
        text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
    }
    assert!(!text.contains("event: answer"), "it comes before the rest is written: {text}");
    while let Some(chunk) = bytes.next().await {
        text.push_str(std::str::from_utf8(&chunk.expect("bytes")).expect("UTF-8"));
    }
    let seen = steps(&text);
    assert_eq!(names(&seen), ["asked", "sentence", "sentence", "answer", "done"], "{text}");
    assert_eq!(seen[1].1["citations"][0]["passage_id"], PASSAGE);
    assert_eq!(seen[2].1["citations"][0]["turn_id"], "t-1-1");
    let answered = &seen[3].1;
    assert_eq!(answered["state"], "answered");
    assert_eq!(answered["sentences"], json!([seen[1].1, seen[2].1]), "what was shown stands");
    assert_eq!(answered["answer"]["generator"], "provider");
    assert_eq!(answered["authorship"]["provider"], "lab");
    assert_eq!(answered["authorship"]["prompt"]["id"], "answer");
    assert_eq!(answered["struck"].as_array().map(Vec::len), Some(3), "{answered:#}");
    let asked = fake.seen()[0].body.to_string();
    assert!(asked.contains(QUESTION) && asked.contains("QX-7") && asked.contains(PASSAGE));
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_comes_that_stands_the_quotation_is_the_answer() {
    let sentence = r#"{"sentences":[{"text":"We refund a duplicate direct debit within 5 working days.","cites":["billing/duplicate-payments#3"]}"#;
    let replies = [
        status(500),
        answer("I'm sorry, but as a language model I"),
        Reply::Stream(vec![Step::Text(sentence), Step::Cut]),
        Reply::Stream(vec![Step::Text("{"), Step::Pause(Duration::from_secs(60))]),
    ];
    for reply in replies {
        let named = format!("{reply:?}");
        let fake = Fake::new([reply]).await;
        let service = Service::open(Some(&fake), &[]).await;
        let seen = service.steps(QUESTION).await;
        let (last, answered) = &seen[seen.len() - 2];
        assert_eq!((last.as_str(), &answered["state"]), ("answer", &json!("answered")), "{named}");
        assert_eq!(answered["answer"]["generator"], "extractive", "{named}");
        assert_eq!(answered["answer"]["citations"][0]["passage_id"], PASSAGE, "{named}");
        assert!(answered.get("sentences").is_none() && answered.get("authorship").is_none());
        let shown = seen.iter().rposition(|(name, _)| name == "sentence");
        let voided = seen.iter().rposition(|(name, _)| name == "restart");
        assert!(shown.is_none() || voided > shown, "{named}: what was shown is taken back");
        fake.all_closed().await;
        service.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_all_invented_is_refused_and_recorded() {
    let fake = Fake::new([says(json!({"ask_back": "", "sentences": [
        {"text": "Your goat may use the router until 9 pm.", "cites": [PASSAGE]},
    ]}))])
    .await;
    let service = Service::open(Some(&fake), &[]).await;
    let answered = service.ask("can my goat chew the wallpaper").await;
    assert_eq!((&answered["state"], &answered["answer"]), (&json!("abstained"), &Value::Null));
    assert_eq!(answered["refusal"], "nothing_proven");
    assert_eq!(answered["struck"].as_array().map(Vec::len), Some(1), "{answered:#}");
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_asks_back_and_understands_what_is_answered() {
    let fake = Fake::new([
        says(json!({"sentences": [], "ask_back": "Is it a duplicate payment or a late fee?"})),
        says(json!({"ask_back": "", "sentences": [
            {"text": "We refund a duplicate direct debit within 5 working days.", "cites": [PASSAGE]},
        ]})),
        says(json!({"sentences": [], "ask_back": "Do you mean the 77 pounds of Mr Smith?"})),
    ])
    .await;
    let service = Service::open(Some(&fake), &[]).await;
    let back = service.ask("How long does it take until it is refunded?").await;
    assert_eq!((&back["state"], &back["answer"]), (&json!("asks_back"), &Value::Null));
    assert_eq!(back["ask_back"], "Is it a duplicate payment or a late fee?");
    assert_eq!(back["authorship"]["provider"], "lab");
    let answered = service.ask("a duplicate payment").await;
    assert_eq!(answered["question"], "a duplicate payment");
    assert_eq!(text_of(&answered), "We refund a duplicate direct debit within 5 working days.");
    let asked = fake.seen()[1].body.to_string();
    assert!(asked.contains("until it is refunded? a duplicate payment"), "{asked}");
    let invented = service.ask(QUESTION).await;
    assert!(invented.get("ask_back").is_none(), "what it names must be known: {invented:#}");
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_question_is_not_read_as_an_answer_to_a_question_back() {
    let back = "Is it a duplicate payment or a late fee?";
    let asks_back = says(json!({"sentences": [], "ask_back": back}));
    let empty = says(json!({"sentences": [], "ask_back": ""}));
    let replies =
        [asks_back.clone(), empty.clone(), asks_back.clone(), empty.clone(), asks_back, empty];
    let fake = Fake::new(replies).await;
    let suggested = SuggestedQuestion {
        question: "The late payment fee?".into(),
        article_id: "billing/late-payment".into(),
        passage_id: "billing/late-payment#1".into(),
    };
    let more = vec![EventBody::QuestionsSuggested(vec![suggested])];
    let service = Service::open_with(Some(&fake), &[], more).await;
    let first = "How long does it take until it is refunded?";
    let asked = |at: usize| fake.seen()[at].body.to_string();
    let open = service.ask(first).await;
    assert_eq!(open["ask_back"], back);
    service.ask("How much is the late payment fee?").await;
    assert!(asked(1).contains("How much is") && !asked(1).contains("refunded?"), "{}", asked(1));
    service.ask(first).await;
    service.ask("The late payment fee?").await;
    assert!(!asked(3).contains("refunded?"), "it was suggested, so it is whole: {}", asked(3));

    let open = service.ask(first).await;
    let answers = json!({"question": "Is it the late fee?", "answers": open["question_id"]});
    let answer = service.post_json(&answers).send().await.expect("answers");
    assert_eq!(answer.status(), 200);
    assert!(asked(5).contains("until it is refunded? Is it the late fee?"), "{}", asked(5));
    let unknown = json!({"question": "late fee", "answers": "q-0"});
    let refused = service.post_json(&unknown).send().await.expect("answers");
    assert_eq!(refused.status(), 422);
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_struck_is_kept_beside_the_quotation_that_stays() {
    let invented = "We refund a duplicate direct debit within 9 working days.";
    let fake = Fake::new([says(json!({"ask_back": "", "sentences": [
        {"text": invented, "cites": [PASSAGE]},
    ]}))])
    .await;
    let service = Service::open(Some(&fake), &[]).await;
    let answered = service.ask(QUESTION).await;
    assert_eq!(answered["answer"]["generator"], "extractive");
    assert_eq!(answered["struck"][0]["text"], invented, "{answered:#}");
    assert_eq!(answered["struck"][0]["fault"], "number");
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_must_stay_are_quoted_word_for_word_and_shown_to_no_model() {
    let fake = Fake::new([says(json!({"ask_back": "", "sentences": []}))]).await;
    let service = Service::open(Some(&fake), &["duplicate-payments"]).await;
    let answered = service.ask(QUESTION).await;
    let url = format!("{}/v1/articles/billing%2Fduplicate-payments", service.url);
    let article = service.client.get(url).bearer_auth(KEY).send().await.expect("answers");
    let article: Value = article.json().await.expect("JSON");
    assert_eq!(article["verbatim"], true);
    let passages = article["passages"].as_array().expect("a list");
    let passage = passages.iter().find(|one| one["id"] == PASSAGE).expect("it is there");
    assert_eq!(answered["answer"]["text"], passage["text"]);
    assert_eq!(answered["answer"]["citations"][0]["quote"], passage["text"]);
    assert_eq!(answered["answer"]["verbatim"], true);
    assert!(fake.seen().is_empty(), "nobody was asked");
    // Another question may be put to a model, but never with these words.
    service.ask("How much is the late payment fee?").await;
    let asked = fake.seen()[0].body.to_string();
    assert!(
        asked.contains("billing/late-payment#1") && !asked.contains("duplicate-payments"),
        "{asked}"
    );
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_used_of_a_day_counts_after_a_restart() {
    let true_one = "We refund a duplicate direct debit within 5 working days.";
    let spoken = json!({"ask_back": "", "sentences": [{"text": true_one, "cites": [PASSAGE]}]});
    let spoken: &'static str = Box::leak(spoken.to_string().into_boxed_str());
    let usage = Step::Usage(8_000, 2_000);
    let steps = vec![Step::Text(spoken), Step::Finish("stop"), usage, Step::Done];
    let fake = Fake::new([Reply::Stream(steps)]).await;
    let budget = "[generation.budget]\ntokens_per_day = 11_000\n";
    let service = Service::open(Some(&fake), &[]).await.again(&fake, budget).await;
    assert_eq!(service.ask(QUESTION).await["answer"]["generator"], "provider");
    let service = service.again(&fake, budget).await;
    assert_eq!(service.ask(QUESTION).await["answer"]["generator"], "extractive");
    assert_eq!(fake.seen().len(), 1, "it is over the budget of the day");
    service.close().await;
}

/// A service holds the articles of one tenant, whose they stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_conversations_are_shown_none_of_the_articles() {
    const SAID: &str = "when do I get the money from the duplicate payment back";
    let service = Service::open(None, &[]).await;
    let made = MadeKey::fresh();
    let row = KeyRow {
        id: made.id.clone(),
        name: "Bo".to_owned(),
        tenant: "other".into(),
        role: AccessRole::Agent,
        hash: made.hash,
        created_at: Timestamp::now(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    let keys = AccessFile::open(service.folders[0].path()).await.expect("it opens");
    keys.add(&row, "root").await.expect("written");
    let ask = async |key: &str, path: &str, body: Option<Value>| {
        let url = format!("{}/v1/conversations{path}", service.url);
        let request = match body {
            Some(body) => service.client.post(url).json(&body),
            None => service.client.get(url),
        };
        let answer = request.bearer_auth(key).send().await.expect("answers");
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    // The service heeds a new key within a second.
    for _ in 0..100 {
        if ask(&made.key, "", None).await.0 == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (key, id, state) in [(made.key.as_str(), "theirs", "abstained"), (KEY, "ours", "answered")]
    {
        let opened = ask(key, "", Some(json!({"id": id, "channel": "chat"}))).await;
        assert_eq!(opened.0, 201, "{opened:?}");
        let message = json!({"role": "customer", "text": SAID});
        assert_eq!(ask(key, &format!("/{id}/turns"), Some(message)).await.0, 201);
        let asked = ask(key, &format!("/{id}/ask"), Some(json!({"question": QUESTION}))).await;
        assert_eq!(asked.1["state"], state, "{asked:?}");
    }
    let cards = async |key: &str, id: &str| {
        let (_, shown) = ask(key, &format!("/{id}"), None).await;
        shown["cards"].as_array().expect("a list").len()
    };
    for _ in 0..200 {
        if cards(KEY, "ours").await > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(cards(KEY, "ours").await, 1, "it would have been a card");
    assert_eq!(cards(&made.key, "theirs").await, 0);
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_all_is_quoted() {
    let service = Service::open(None, &[]).await;
    let seen = service.steps(QUESTION).await;
    assert_eq!(names(&seen), ["asked", "answer", "done"]);
    assert_eq!(seen[1].1["answer"]["generator"], "extractive");
    let none = service.ask("can my goat chew the wallpaper").await;
    assert_eq!(none["state"], "abstained");
    assert!(none.get("refusal").is_none() && none.get("struck").is_none(), "{none:#}");
    service.close().await;
}
