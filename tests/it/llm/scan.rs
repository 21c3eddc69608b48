//! Secrets through every door of the whole program, and then a look into every file that it wrote, everything that it logged,
//! and every request that its provider got.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use super::fake::{Fake, Reply};
use super::voices::knowledge;

const KEY: &str = "bck_for_this_test";
const PATIENCE: Duration = Duration::from_secs(120);
/// What is no secret is found, or the scan would prove nothing.
const MARK: &str = "Zanzibar";

/// What is said, and what may be found nowhere: small letters and digits, nothing between.
const SECRETS: [(&str, &str); 10] = [
    ("My card is 4539 1488 0343 6467.", "4539148803436467"),
    ("Take the other one, 3782 822463 10005, please.", "378282246310005"),
    (
        "So it is five one zero five, one zero five one, zero five one zero, five one zero zero.",
        "5105105105105100",
    ),
    ("The IBAN is GB82 WEST 1234 5698 7654 32.", "gb82west12345698765432"),
    ("My password is Tr0ub4dor-99!", "tr0ub4dor99"),
    ("The verification code is 4829 1357.", "48291357"),
    ("My social security number is 219-09-9999.", "219099999"),
    ("I was born on 03/05/1980.", "03051980"),
    ("Sort code 20-11-53, account number 55779911.", "55779911"),
    ("The key is sk_live_51HqZ8yKx9a7Lm2.", "sklive51hqz8ykx9a7lm2"),
];

struct Served {
    child: Child,
    client: Client,
    url: String,
}

impl Served {
    async fn start(folder: &Path, fake: &Fake, articles: &Path) -> Self {
        let (ready, settings) = (folder.join("ready.json"), folder.join("settings.toml"));
        let text = format!(
            "[generation]\nchain = [\"lab\", \"extractive\"]\n[generation.providers.lab]\nkind = \"openai\"\n\
             url = \"{}\"\nmodel = \"tiny\"\nretries = 0\n[auth]\napi_key = \"{KEY}\"\n[calls]\nmax = 4\n\
             [knowledge]\nfolder = {articles:?}\n[categories]\nsentiment = true\n",
            fake.url
        );
        std::fs::write(&settings, text).expect("written");
        let log = std::fs::File::create(folder.join("log")).expect("made");
        let child = Command::new(env!("CARGO_BIN_EXE_backchannel"))
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&settings)
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .env("RUST_LOG", "trace")
            .stdout(log.try_clone().expect("the same file"))
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("it starts");
        let begun = Instant::now();
        let url = loop {
            let text = std::fs::read_to_string(&ready).unwrap_or_default();
            if let Ok(access) = serde_json::from_str::<Value>(&text) {
                break access["url"].as_str().expect("an address").to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "it is never ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        Self { child, client: Client::new(), url }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(KEY).json(&body);
        let answer = request.send().await.expect("answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(KEY);
        request.send().await.expect("answers").json().await.unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found
}

/// Letters and digits, small, with nothing between; spoken digits as digits.
fn plain(bytes: &[u8]) -> [String; 2] {
    const NAMES: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let kept = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let text: String = kept.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let spoken = NAMES
        .iter()
        .enumerate()
        .fold(text.clone(), |text, (digit, name)| text.replace(name, &digit.to_string()));
    [text, spoken]
}

fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    let texts = plain(bytes);
    let is_in = |(_, secret): &&(&str, &str)| texts.iter().any(|text| text.contains(secret));
    SECRETS.iter().filter(is_in).map(|(said, _)| *said).collect()
}

#[test]
fn the_scan_finds_what_is_there() {
    for (said, secret) in SECRETS {
        assert_eq!(found_in(format!("\u{0}{said}\u{1}").as_bytes()), [said], "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_reaches_a_file_a_log_or_a_model() {
    let (folder, articles) = (tempfile::tempdir().expect("a folder"), knowledge(&[]));
    let fake = Fake::new([Reply::Sensible]).await;
    let served = Served::start(folder.path(), &fake, articles.path()).await;

    let all: String = SECRETS.map(|(said, _)| said).join(" ");
    // An attribute has 256 characters at most.
    let notes =
        SECRETS.iter().enumerate().map(|(at, (said, _))| (format!("note_{at}"), json!(said)));
    let mut attributes: serde_json::Map<String, Value> = notes.collect();
    attributes.insert("from".to_owned(), json!("+442079460123"));
    let opened = json!({"id": "c-1", "channel": "chat",
        "parties": [{"role": "customer", "name": "Ada 4539 1488 0343 6467"}, {"role": "agent"}],
        "attributes": attributes});
    let (status, body) = served.post("/v1/conversations", opened).await;
    assert_eq!(status, 201, "{body}");
    let path = |rest: &str| format!("/v1/conversations/c-1/{rest}");
    let (house, place) = (&served, &path);
    let say = |role: &'static str, text: String| async move {
        house.post(&place("turns"), json!({"role": role, "text": text})).await
    };
    say("customer", format!("I was charged twice for the trip to {MARK}, when is it refunded?"))
        .await;
    for (said, _) in SECRETS {
        let (status, body) = say("customer", said.to_owned()).await;
        assert_eq!(status, 201, "{body}");
        // Whoever reads it back shows no more.
        say("agent", format!("Thank you. {said} Is that right?")).await;
    }
    // A number in pieces, and answers to questions.
    for (role, text) in [
        ("agent", "What is the long number on the card?"),
        ("customer", "4539 1488"),
        ("agent", "go on"),
        ("customer", "0343 6467"),
        ("agent", "And the verification code?"),
        ("customer", "48291357"),
        ("agent", "What's your date of birth?"),
        ("customer", "03/05/1980"),
        ("customer", "And that is everything, when is my duplicate payment refunded?"),
    ] {
        say(role, text.to_owned()).await;
    }
    for (said, _) in SECRETS {
        let question = format!("{said} When does the money from a duplicate payment come back?");
        let (status, body) = served.post(&path("ask"), json!({"question": question})).await;
        assert_eq!(status, 200, "{body}");
        let url = reqwest::Url::parse_with_params(
            &format!("{}/v1/articles/search", served.url),
            &[("q", question.as_str()), ("conversation", "c-1")],
        );
        let request = served.client.get(url.expect("an address")).bearer_auth(KEY);
        assert!(request.send().await.expect("answers").status().is_success());
        let wish = json!({"purpose": "custom", "wish": said});
        served.post(&path("email"), wish).await;
        served.post(&path("replies"), json!({"text": said})).await;
    }
    served.post(&path("end"), json!({})).await;
    for draft in ["summary", "followups", "email", "article"] {
        served.post(&path(draft), json!({})).await;
    }
    let conversation = served.get("/v1/conversations/c-1").await;
    let mut ids = Vec::new();
    wrap_ups(&conversation, &mut ids);
    for id in &ids {
        let verdict = json!({"verdict": "edited", "text": all});
        served.post(&path(&format!("wrapups/{id}/verdict")), verdict).await;
    }
    let shown = conversation.to_string();
    assert_eq!(found_in(shown.as_bytes()), [""; 0], "what the API shows: {shown}");
    assert!(
        shown.contains(MARK) && shown.contains("[iban-1]") && shown.contains("[card-1]"),
        "{shown}"
    );
    drop(served);

    let mut is_marked = false;
    let scanned = files(&folder.path().join("data"));
    assert!(scanned.iter().any(|file| file.to_string_lossy().ends_with("-wal")), "{scanned:?}");
    for file in scanned.iter().chain([&folder.path().join("log")]) {
        let bytes = std::fs::read(file).expect("readable");
        is_marked |= String::from_utf8_lossy(&bytes).contains(MARK);
        assert_eq!(found_in(&bytes), [""; 0], "{}", file.display());
    }
    assert!(is_marked, "what is no secret is found in {scanned:?}");
    let requests = fake.seen();
    assert!(requests.iter().any(|seen| seen.body.to_string().contains(MARK)), "a model was asked");
    for seen in requests {
        assert_eq!(found_in(seen.body.to_string().as_bytes()), [""; 0], "{}", seen.body);
        assert_eq!(found_in(seen.uri.as_bytes()), [""; 0]);
    }
}

/// Identifiers of drafts, wherever they stand.
fn wrap_ups(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            ids.extend(fields.get("wrapup_id").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| wrap_ups(value, ids));
        }
        Value::Array(values) => values.iter().for_each(|value| wrap_ups(value, ids)),
        _ => {}
    }
}
