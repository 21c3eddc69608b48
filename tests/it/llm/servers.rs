//! What is sent to which kind of server, and what is made of a right answer.

use std::io::Write as _;
use std::time::Duration;

use backchannel::connect::llm::{Flavour, Key, KeyPlace, LimitField, OpenAi, Server, Structure};
use backchannel::models::{Finish, WritingRequest, WritingTask};

use super::conformance::{self, Candidate};
use super::fake::{Fake, Reply, Seen, Step, answer};
use super::{client, request, schema, server, write};

async fn sent(change: impl FnOnce(&mut Server), request: &WritingRequest) -> Seen {
    let fake = Fake::new([answer("{}")]).await;
    let mut server = server(&fake);
    change(&mut server);
    let client = OpenAi::new(server).expect("it can be set up");
    write(&client, request).await.0.expect("it writes");
    fake.seen().remove(0)
}

fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.headers.get(name).map(|value| value.to_str().expect("text"))
}

#[tokio::test]
async fn a_scripted_server_conforms() {
    let fake = Fake::new([Reply::Sensible]).await;
    conformance::all(&Candidate {
        generator: std::sync::Arc::new(client(&fake)),
        request: request(),
        with_schema: Some(WritingRequest { schema: Some(schema()), ..request() }),
        is_repeatable: true,
        counts_tokens: true,
        grace: Duration::from_millis(500),
    })
    .await;
    fake.all_closed().await;
}

#[tokio::test]
async fn a_plain_server_gets_the_usual_fields() {
    let seen = sent(
        |server| {
            server.headers.insert("x-team".to_owned(), "care".to_owned());
            server.models.insert(WritingTask::Card, "smaller".to_owned());
        },
        &request(),
    )
    .await;
    assert_eq!(seen.uri, "/v1/chat/completions");
    assert_eq!(header(&seen, "x-team"), Some("care"));
    assert_eq!(header(&seen, "authorization"), None, "no key was set");
    let body = &seen.body;
    assert_eq!(body["model"], "tiny");
    assert_eq!((&body["max_tokens"], &body["seed"]), (&60.into(), &7.into()));
    assert_eq!(body["temperature"], 0.0);
    assert_eq!(
        (&body["stream"], &body["stream_options"]["include_usage"]),
        (&true.into(), &true.into())
    );
    assert_eq!(body["messages"][0]["role"], "system");
    assert!(body.get("response_format").is_none() && body.get("max_completion_tokens").is_none());

    let card = WritingRequest { task: WritingTask::Card, ..request() };
    let add = |server: &mut Server| {
        server.models.insert(WritingTask::Card, "smaller".to_owned());
        server.limit_field = LimitField::MaxCompletionTokens;
        server.sends_sampling = false;
    };
    let body = sent(add, &card).await.body;
    assert_eq!((&body["model"], &body["max_completion_tokens"]), (&"smaller".into(), &60.into()));
    for absent in ["max_tokens", "seed", "temperature"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn keys_come_from_where_they_are_kept() {
    let seen = sent(|server| server.key = Some(Key::bearer("s3cret\n")), &request()).await;
    assert_eq!(header(&seen, "authorization"), Some("Bearer s3cret"));

    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"k3y").expect("written");
    let fake = Fake::new([answer("ok")]).await;
    let mut server = server(&fake);
    let place = KeyPlace::File(file.path().to_owned());
    server.key = Some(Key { place, as_api_key: false });
    assert!(!format!("{server:?}").contains("k3y"));
    let client = OpenAi::new(server).expect("it can be set up");
    write(&client, &request()).await.0.expect("it writes");
    file.write_all(b"-renewed").expect("written");
    write(&client, &request()).await.0.expect("it writes");
    let keys: Vec<_> =
        fake.seen().iter().map(|seen| header(seen, "authorization").map(str::to_owned)).collect();
    assert_eq!(keys, [Some("Bearer k3y".to_owned()), Some("Bearer k3y-renewed".to_owned())]);
    file.write_all(b"\nmore").expect("written");
    let error = write(&client, &request()).await.0.expect_err("a key has one line");
    assert!(!error.to_string().contains("k3y"), "{error}");
}

#[tokio::test]
async fn azure_has_its_own_addresses_and_header() {
    let azure = |server: &mut Server| {
        server.flavour = Flavour::Azure;
        server.url.set_path("/");
        server.models.insert(WritingTask::Card, "small-deployment".to_owned());
    };
    let key = |as_api_key| Some(Key { place: KeyPlace::Value("k".to_owned().into()), as_api_key });
    let dated = |server: &mut Server| {
        azure(server);
        server.api_version = Some("2024-10-21".to_owned());
        server.key = key(true);
    };
    let seen = sent(dated, &WritingRequest { task: WritingTask::Card, ..request() }).await;
    let path = "/openai/deployments/small-deployment/chat/completions?api-version=2024-10-21";
    assert_eq!(seen.uri, path);
    assert_eq!((header(&seen, "api-key"), header(&seen, "authorization")), (Some("k"), None));

    let entra = |server: &mut Server| {
        azure(server);
        server.key = key(false);
    };
    let seen = sent(entra, &request()).await;
    assert_eq!(seen.uri, "/openai/v1/chat/completions");
    assert_eq!(
        (header(&seen, "api-key"), header(&seen, "authorization")),
        (None, Some("Bearer k"))
    );
}

#[tokio::test]
async fn a_form_is_asked_for_as_the_server_can() {
    let request = WritingRequest { schema: Some(schema()), ..request() };
    let body = sent(|_| {}, &request).await.body;
    let format = &body["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["name"], "sentence");
    assert_eq!(format["json_schema"]["strict"], true);
    assert_eq!(format["json_schema"]["schema"], *schema().schema);
    assert_eq!(body["messages"][0]["content"], "You sum up calls.");

    let body = sent(|server| server.structure = Structure::Object, &request).await.body;
    assert_eq!(body["response_format"], serde_json::json!({"type": "json_object"}));
    let system = body["messages"][0]["content"].as_str().expect("text");
    assert!(system.starts_with("You sum up calls.") && system.contains("maxItems"), "{system}");

    let mut bare = request.clone();
    bare.messages.remove(0);
    let body = sent(|server| server.structure = Structure::Words, &bare).await.body;
    assert!(body.get("response_format").is_none());
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(2), "a system message is made");
}

#[tokio::test]
async fn an_answer_says_how_it_ended_and_what_it_cost() {
    use Step::{Done, Finish as End, Pause, Raw, Text, Usage};
    let refusal =
        "data: {\"choices\":[{\"delta\":{\"refusal\":\"No.\"},\"finish_reason\":null}]}\n\n";
    let odd = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}],\
               \"usage\":null}\r\n\r\n: comment\n\ndata:{\"choices\":[]}\n\n";
    let late = Pause(Duration::from_secs(3_600));
    for (steps, finish, text, tokens) in [
        (vec![Text("a"), Text("b"), End("stop"), Usage(5, 2), Done], Finish::Stop, "ab", (5, 2)),
        (vec![Text("a"), End("length"), Usage(5, 1), Done], Finish::Length, "a", (5, 1)),
        (vec![Text("a"), End("content_filter"), Done], Finish::Filtered, "a", (24, 1)),
        (vec![Raw(refusal), End("stop"), Done], Finish::Filtered, "", (24, 0)),
        (vec![Raw(odd), Text("a"), End("eos"), Usage(5, 1)], Finish::Stop, "a", (5, 1)),
        // It never says how much, and keeps the connection open.
        (vec![Text("abcde"), End("stop"), late], Finish::Stop, "abcde", (24, 2)),
    ] {
        let named = format!("{steps:?}");
        let fake = Fake::new([Reply::Stream(steps)]).await;
        let (outcome, screen) = write(&client(&fake), &request()).await;
        let written = outcome.expect(&named);
        assert_eq!((written.finish, written.text.as_str(), screen.as_str()), (finish, text, text));
        let (prompt, by) = tokens;
        assert_eq!(written.tokens.written, by, "{named}");
        if prompt == 5 {
            assert_eq!(written.tokens.prompt, 5, "{named}");
        } else {
            assert!((15..30).contains(&written.tokens.prompt), "about: {:?}", written.tokens);
        }
        let model = written.model.as_deref();
        assert!(matches!(model, Some("tiny-2026" | "tiny")), "{model:?}");
        fake.all_closed().await;
    }
}

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    let mut server = Server::new("lab", "ftp://127.0.0.1/v1".parse().expect("a URL"), "m");
    assert!(OpenAi::new(server.clone()).is_err());
    server.url = "http://127.0.0.1/v1".parse().expect("a URL");
    server.headers.insert("bad header".to_owned(), "x".to_owned());
    let error = OpenAi::new(server).err().expect("no header").to_string();
    assert!(error.contains("provider lab"), "{error}");
}
