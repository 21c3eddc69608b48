//! Files of the index that are cut off, changed or gone: the service says so, and finds the same after
//! it has made them again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backchannel::knowledge::{cache_folder, queries};
use reqwest::Client;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const PATIENCE: Duration = Duration::from_secs(120);

/// The program as people start it.
struct Served {
    child: Child,
    client: Client,
    url: String,
    key: String,
    log: PathBuf,
}

impl Served {
    async fn start(folder: &Path, cache: &Path) -> Self {
        let (ready, log) = (folder.join("ready.json"), folder.join("stderr"));
        let _ = std::fs::remove_file(&ready);
        let child = Command::new(env!("CARGO_BIN_EXE_backchannel"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .env("BACKCHANNEL_CACHE", cache)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).expect("made"))
            .spawn()
            .expect("it starts");
        let begun = Instant::now();
        let access: Value = loop {
            let text = std::fs::read_to_string(&ready).unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(access) => break access,
                Err(_) => assert!(begun.elapsed() < PATIENCE, "it is never ready"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let text = |name: &str| access[name].as_str().expect("text").to_owned();
        Self { child, client: Client::new(), url: text("url"), key: text("api_key"), log }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.url), query);
        let request = self.client.get(url.expect("an address")).bearer_auth(&self.key);
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    async fn is_marked(&self) -> bool {
        let system = self.get("/v1/system", &[]).await;
        let marks = system["degraded"].as_array().expect("a list");
        marks.iter().any(|mark| mark["what"] == "knowledge_vectors")
    }

    /// The first ten of a question, and whether words alone were searched.
    async fn top_ten(&self, question: &str) -> (Vec<String>, bool) {
        let found = self.get("/v1/articles/search", &[("q", question), ("limit", "10")]).await;
        let items = found["items"].as_array().expect("items").iter();
        let ids = items.map(|item| item["passage_id"].as_str().expect("an id").to_owned());
        (ids.collect(), found["degraded"].as_bool().expect("it says so"))
    }

    /// Waits until vectors take part. Returns whether the service was marked meanwhile, and the first
    /// ten of all questions then.
    async fn settled(&self, questions: &[String]) -> (bool, Vec<Vec<String>>) {
        let (begun, mut was_marked) = (Instant::now(), false);
        loop {
            let (found, by_words) = self.top_ten(&questions[0]).await;
            assert!(!found.is_empty(), "words are searched from the first moment");
            let is_marked = self.is_marked().await;
            was_marked |= is_marked;
            if !by_words && !is_marked {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "its vectors never come");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut all = Vec::new();
        for question in questions {
            let (found, by_words) = self.top_ten(question).await;
            assert!(!by_words, "{question}");
            all.push(found);
        }
        (was_marked, all)
    }

    /// Ends it; what it complained of.
    fn end(mut self) -> String {
        self.child.kill().expect("killed");
        self.child.wait().expect("dead");
        std::fs::read_to_string(&self.log).expect("a log")
    }
}

fn packs(cache: &Path) -> Vec<PathBuf> {
    let model = std::fs::read_dir(cache.join("embeddings")).expect("a folder").next();
    let files = std::fs::read_dir(model.expect("a model").expect("readable").path());
    let mut packs: Vec<PathBuf> =
        files.expect("a folder").map(|file| file.expect("readable").path()).collect();
    packs.sort();
    packs
}

/// Whether a pack's name is the hash of what it holds.
fn is_whole(pack: &Path) -> bool {
    let hash: String = Sha256::digest(std::fs::read(pack).expect("readable"))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    pack.file_stem().is_some_and(|name| *name == *hash)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_index_is_noticed_made_again_and_finds_the_same() {
    let (folder, cache) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge/queries.toml"),
    );
    let labelled = queries::parse("queries.toml", &text.expect("readable"), &|_| true);
    let questions: Vec<String> =
        labelled.expect("sound").into_iter().map(|question| question.text).collect();
    assert!(questions.len() >= 200);

    // Models are no part of it.
    let models = cache_folder(&|name| std::env::var(name).ok()).expect("a cache").join("models");
    std::os::unix::fs::symlink(models, cache.path().join("models")).expect("linked");

    // All of it is gone: nothing is on the disk yet.
    let served = Served::start(folder.path(), cache.path()).await;
    let (was_marked, made) = served.settled(&questions).await;
    assert!(was_marked, "vectors are made while the service says so");
    served.end();

    let served = Served::start(folder.path(), cache.path()).await;
    let (_, read) = served.settled(&questions).await;
    assert_eq!(read, made);
    assert!(!served.end().contains("damaged"));

    let all = packs(cache.path());
    let [cut, flipped, emptied, gone, ..] = &all[..] else { panic!("{} packs", all.len()) };
    let bytes = std::fs::read(cut).expect("readable");
    std::fs::write(cut, &bytes[..bytes.len() / 2]).expect("written");
    let mut bytes = std::fs::read(flipped).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(flipped, bytes).expect("written");
    std::fs::write(emptied, "").expect("written");
    std::fs::remove_file(gone).expect("removed");
    let foreign = cut.with_file_name("foreign.pack");
    std::fs::write(&foreign, "no vectors").expect("written");

    let served = Served::start(folder.path(), cache.path()).await;
    let (was_marked, again) = served.settled(&questions).await;
    assert!(was_marked, "what was damaged is made again while the service says so");
    assert_eq!(again, made);
    let log = served.end();
    assert_eq!(log.matches("damaged embedding cache").count(), 4, "{log}");
    for pack in [cut, flipped, emptied, &foreign] {
        assert!(log.contains(&*pack.file_name().expect("a name").to_string_lossy()), "{log}");
    }
    assert!(packs(cache.path()).iter().all(|pack| is_whole(pack)));
}
