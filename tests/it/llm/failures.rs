//! Everything that a server can do wrong, and what callers are told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::connect::llm::OpenAi;
use backchannel::models::{Generator, Piece, WritingError, WritingRequest};

use super::fake::{Fake, Reply, Step, answer, status};
use super::{PLANTED, client, request, server, write};

const MOMENT: Duration = Duration::from_millis(300);
const FOREVER: Duration = Duration::from_secs(3_600);

fn with_headers(code: u16, name: &'static str, value: &str) -> Reply {
    Reply::Status(code, vec![(name, value.to_owned())], "{}".to_owned())
}

fn body(code: u16, kind: &str, body: String) -> Reply {
    Reply::Status(code, vec![("content-type", kind.to_owned())], body)
}

async fn fails(reply: Reply) -> WritingError {
    let fake = Fake::new([reply]).await;
    let mut server = server(&fake);
    server.first_text_patience = MOMENT;
    server.stall_patience = MOMENT;
    let client = OpenAi::new(server).expect("it can be set up");
    let error = write(&client, &request()).await.0.expect_err("it fails");
    assert_eq!(fake.seen().len(), 1, "nobody below tries again: {error}");
    fake.all_closed().await;
    let text = error.to_string();
    assert!(text.contains("provider lab"), "{text}");
    assert!(!text.contains("Aurelia") && !text.contains("Biscuit"), "{text}");
    error
}

#[tokio::test]
async fn each_way_to_fail_has_its_name() {
    for code in [401, 403] {
        assert!(matches!(fails(status(code)).await, WritingError::Denied { .. }));
    }
    for (name, value, expected) in [
        ("retry-after", "7", Some(Duration::from_secs(7))),
        ("retry-after-ms", "250", Some(Duration::from_millis(250))),
        ("x-other", "7", None),
        ("retry-after", "soon", None),
        ("retry-after", "-3", Some(Duration::ZERO)),
        ("retry-after", "1e300", None),
    ] {
        let WritingError::Limited { retry_after, .. } = fails(with_headers(429, name, value)).await
        else {
            panic!("{name}: {value}")
        };
        assert_eq!(retry_after, expected, "{name}: {value}");
    }
    for reply in [
        status(500),
        status(503),
        status(408),
        with_headers(302, "location", "http://127.0.0.1:1/elsewhere"),
        body(200, "text/html", "<h1>Log in</h1>".to_owned()),
        body(200, "application/json", "{\"choices\":[]}".to_owned()),
    ] {
        let named = format!("{reply:?}");
        let error = fails(reply).await;
        assert!(matches!(error, WritingError::Unavailable { .. }), "{named}: {error}");
    }
    let error = fails(body(404, "text/plain", "no such page".to_owned())).await;
    assert!(matches!(error, WritingError::Refused { .. }), "{error}");
    let in_json = "{\"error\":{\"message\":\"model tiny does not exist\",\"code\":404}}".to_owned();
    let error = fails(body(200, "application/json", in_json)).await;
    assert!(matches!(error, WritingError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn of_what_a_server_says_only_the_names_of_its_errors_are_told() {
    for (said, told) in [
        (
            r#"{"message":"context of 2048 tokens exceeded","type":"invalid_request_error","param":"messages"}"#
                .to_owned(),
            "status 400, type invalid_request_error",
        ),
        (
            format!(r#"{{"message":"input '{PLANTED}' is too long","code":"too_long"}}"#),
            "status 400, code too_long",
        ),
        // Half of what was asked, in other letters, where a name should stand.
        (format!(r#"{{"type":"{PLANTED}","code":"no, {PLANTED}"}}"#), "status 400"),
        (r#""I told you that I live in Aurelia""#.to_owned(), "status 400"),
    ] {
        let body = body(400, "application/json", format!("{{\"error\":{said}}}"));
        let error = fails(body).await.to_string();
        assert!(error.ends_with(&format!("the request is wrong: {told}")), "{error}");
    }
}

#[tokio::test]
async fn streams_break_in_many_ways() {
    use Step::{Cut, Done, Finish, Raw, Text};
    for steps in [
        vec![Text("Half"), Cut],
        vec![Text("Half"), Done],
        vec![Text("Half")],
        vec![Text("Half"), Raw("data: {\"choices\": [{\"delta\n\n"), Finish("stop"), Done],
        vec![Raw("data: Aurelia\n\n")],
        vec![
            Text("Half"),
            Raw("data: {\"error\":{\"message\":\"the engine died\",\"code\":500}}\n\n"),
        ],
        vec![Cut],
    ] {
        let named = format!("{steps:?}");
        let error = fails(Reply::Stream(steps)).await;
        assert!(matches!(error, WritingError::Broken { .. }), "{named}: {error}");
    }
    let limited = "data: {\"error\":{\"message\":\"slow down\",\"code\":429}}\n\n";
    let error = fails(Reply::Stream(vec![Raw(limited)])).await;
    assert!(matches!(error, WritingError::Limited { .. }), "{error}");
}

#[tokio::test]
async fn who_stalls_is_given_up() {
    use Step::{Pause, Text};
    for steps in [vec![Pause(FOREVER)], vec![Text("Half"), Pause(FOREVER)]] {
        let began = Instant::now();
        let error = fails(Reply::Stream(steps)).await;
        assert!(matches!(error, WritingError::Silent { .. }), "{error}");
        assert!((MOMENT..4 * MOMENT).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_short_deadline_of_ours_is_no_silence_of_theirs() {
    use Step::{Pause, Text};
    for steps in [vec![Pause(FOREVER)], vec![Text("Half"), Pause(FOREVER)]] {
        let fake = Fake::new([Reply::Stream(steps)]).await;
        let hasty = WritingRequest { deadline: MOMENT, ..request() };
        let outcome = write(&client(&fake), &hasty).await.0;
        assert!(matches!(outcome, Err(WritingError::Timeout { .. })), "{outcome:?}");
        fake.all_closed().await;
    }
}

#[tokio::test]
async fn a_slow_trickle_ends_with_the_deadline() {
    let drop = [Step::Text("drop "), Step::Pause(Duration::from_millis(20))];
    let fake = Fake::new([Reply::Stream(drop.repeat(500))]).await;
    let hasty = WritingRequest { deadline: MOMENT, ..request() };
    let began = Instant::now();
    let (outcome, screen) = write(&client(&fake), &hasty).await;
    assert!(matches!(outcome, Err(WritingError::Timeout { .. })), "{outcome:?}");
    assert!((MOMENT..2 * MOMENT).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(screen.starts_with("drop drop "));
    fake.all_closed().await;
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let fake = Fake::new([status(200)]).await;
    let server = server(&fake);
    drop(fake);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = write(&OpenAi::new(server).expect("set up"), &request()).await.0;
    assert!(matches!(error, Err(WritingError::Unavailable { .. })), "{error:?}");
}

#[tokio::test]
async fn a_caller_who_leaves_closes_the_connection() {
    for steps in [
        vec![Step::Pause(FOREVER)],
        vec![Step::Text("Half"), Step::Pause(FOREVER)],
        [Step::Text("on and "), Step::Pause(Duration::from_millis(5))].repeat(5_000),
    ] {
        let fake = Fake::new([Reply::Stream(steps)]).await;
        let client = Arc::new(client(&fake));
        let caller = tokio::spawn(async move {
            let _ = client.write(&request(), &mut |_: Piece<'_>| {}).await;
        });
        fake.are_open(1).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        caller.abort();
        let began = Instant::now();
        fake.all_closed().await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn comments_are_no_text() {
    let fake = Fake::new([Reply::Stream([Step::Raw(": still here\n\n")].repeat(1_000))]).await;
    let error = write(&client(&fake), &request()).await.0;
    assert!(matches!(error, Err(WritingError::Broken { .. })), "{error:?}");
}

#[tokio::test]
async fn no_word_of_a_call_gets_into_a_log() {
    use tracing_subscriber::EnvFilter;
    #[derive(Clone, Default)]
    struct Log(Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace,async_openai=off"))
        .with_writer(move || writer.clone())
        .finish();
    // Where there is but one subscriber, what a thread without one logs first is taken for
    // something that nobody wants, here too (tracing-core, `callsite::Dispatchers`).
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    for reply in [
        answer("Aurelia called."),
        Reply::Stream(vec![Step::Raw("data: {Aurelia\n\n")]),
        Reply::Status(400, Vec::new(), "{\"error\":{\"message\":\"Aurelia Quick\"}}".to_owned()),
        Reply::Status(500, Vec::new(), "Aurelia Quick".to_owned()),
    ] {
        let fake = Fake::new([reply]).await;
        let _ = write(&client(&fake), &request()).await;
    }
    drop(guard);
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(!log.is_empty());
    assert!(!log.contains("Aurelia") && !log.contains("Biscuit"));
}
