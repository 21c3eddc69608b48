//! The whole service with its recogniser, and a scripted model: a call ends over real sockets, and the
//! drafts that the model wrote are on the desktop's stream.

use std::path::Path;
use std::time::Duration;

use backchannel::app::App;
use backchannel::config::Config;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::fake::{Fake, Reply};
use crate::service::{PATIENCE, begin_call, double_charge, follow, key, kind, say};

const INVENTED: &str = "The customer ordered a washing machine from Lisbon.";

/// The longest sentence of the agent's, as it stands in the prompt, and one that nobody said.
fn tell(body: &Value) -> String {
    let messages = body["messages"].as_array().expect("messages");
    let asked = messages.last().expect("one")["content"].as_str().expect("text");
    let lines = asked.lines().filter_map(|line| line.strip_prefix('[')?.split_once("] agent: "));
    let sentences = lines.flat_map(|(id, text)| {
        text.split_inclusive(". ").map(move |sentence| (id, sentence.trim()))
    });
    let (id, said) = sentences.max_by_key(|(_, text)| text.len()).expect("the agent spoke");
    let invented = json!({"text": INVENTED, "cites": [id]});
    let said = json!({"text": said, "cites": [id]});
    if asked.contains("Draft the e-mail.") {
        let paragraphs = json!([{"sentences": [said, invented]}]);
        json!({"subject": invented, "paragraphs": paragraphs}).to_string()
    } else if asked.contains("List the follow-ups.") {
        json!({"items": []}).to_string()
    } else if asked.contains("Propose the article") {
        json!({"title": "", "sections": []}).to_string()
    } else {
        let sections = json!([{"section": "outcome", "sentences": [said, invented]}]);
        json!({"sections": sections}).to_string()
    }
}

pub async fn service(data: &Path, fake: &Fake) -> App {
    let settings = data.join("settings.toml");
    let text = format!(
        "[generation]\nchain = [\"lab\", \"extractive\"]\n[generation.providers.lab]\n\
         kind = \"openai\"\nurl = \"{}\"\nmodel = \"tiny\"\n",
        fake.url
    );
    std::fs::write(&settings, text).expect("written");
    let mut config = Config::load(Some(&settings), std::iter::empty()).expect("they are right");
    config.serve.listen.set_port(0);
    config.store.folder = data.to_owned();
    App::build(config, true).await.expect("`make models` has pulled what it needs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_writes_at_the_end_of_a_call_comes_to_the_desktop() {
    let fake = Fake::new([Reply::Told(tell, Duration::from_millis(100))]).await;
    let data = tempfile::tempdir().expect("a folder");
    let app = service(data.path(), &fake).await;
    let (access, stop) = (app.access().clone(), app.stop_token());
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(app.run(move |_| ready.send(()).expect("somebody waits")));
    is_ready.await.expect("it gets ready");
    let following = tokio::spawn(follow(access.clone()));

    let mut call = begin_call(&access, &["customer", "agent"]).await;
    let channels = double_charge();
    let both: Vec<f32> =
        (8 * 30_000..8 * 38_500).flat_map(|at| [channels[0][at], channels[1][at]]).collect();
    // "I can see you changed your payment date on the third. That can make two direct debits …"
    say(&mut call, &both, 2).await;
    call.send(Message::text(r#"{"type":"stop"}"#)).await.expect("sent");
    while let Ok(Some(Ok(_))) = timeout(PATIENCE, call.next()).await {}

    let client = reqwest::Client::new();
    let get = async |path: &str| -> Value {
        let request = client.get(format!("{}{path}", access.url)).bearer_auth(key(&access));
        request.send().await.expect("answers").json().await.expect("JSON")
    };
    let begun = Instant::now();
    let wrapup = loop {
        let list = get("/v1/conversations?state=all").await;
        let id = list["items"][0]["id"].as_str().expect("a conversation").to_owned();
        let wrapup = get(&format!("/v1/conversations/{id}")).await["wrapup"].take();
        let by = |what: &str| wrapup[what]["authorship"]["provider"] == "lab";
        if by("summary") && by("email") {
            break wrapup;
        }
        assert!(begun.elapsed() < PATIENCE, "no draft of the model: {wrapup:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    stop.cancel();
    timeout(PATIENCE, running).await.expect("in time").expect("no panic").expect("an orderly end");
    let events = following.await.expect("no panic");

    for (what, kind_of) in [("summary", "wrapup.summary"), ("email", "wrapup.email")] {
        let draft = &wrapup[what];
        assert_eq!(draft["authorship"]["model"], "tiny-2026");
        assert_eq!(draft["struck"][0]["text"], INVENTED);
        let written: Vec<&Value> = events.iter().filter(|event| kind(event) == kind_of).collect();
        let by: Vec<&Value> =
            written.iter().map(|event| &event["data"]["authorship"]["provider"]).collect();
        assert_eq!(by, ["extractive", "lab"], "the plain one is kept before anybody is asked");
        assert_eq!(written[0]["data"]["wrapup_id"], written[1]["data"]["wrapup_id"]);
        assert_eq!(&written[1]["data"], draft);
        // While it was written, what stood was shown, and nothing else ever was.
        let grew: Vec<&Value> = events
            .iter()
            .filter(|event| kind(event) == "wrapup.growing")
            .map(|event| &event["data"][what])
            .filter(|draft| !draft.is_null())
            .collect();
        assert!(!grew.is_empty(), "{what} grows on the stream");
        for shown in grew {
            assert!(!shown.to_string().contains("Lisbon"), "{shown:#}");
            assert_eq!(shown["wrapup_id"], draft["wrapup_id"]);
        }
    }
    let said = wrapup["summary"]["sections"][0]["sentences"][0]["text"].as_str().expect("text");
    let turns = events.iter().filter(|event| kind(event) == "turn.final");
    let mut texts = turns.map(|event| event["data"]["text"].as_str().expect("text"));
    assert!(texts.any(|text| text.contains(said)), "the model's sentence is the agent's: {said}");
    let parts = wrapup["email"]["parts"].as_array().expect("parts");
    assert!(parts.iter().any(|part| part["kind"] == "claim" && part["text"] == said));
}
