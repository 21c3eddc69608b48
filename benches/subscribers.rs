//! What an idle subscriber of the event stream costs the service in resident memory.
//!
//! The service is a process of its own, started from the release binary, so that nothing of the
//! subscribers' side counts; neither do the kernel's socket buffers. Real sockets: `GET /v1/events`
//! until the stream greets, then nothing; they come and go in rounds. Run:
//! `cargo bench --bench subscribers` (needs the models, `make models`, and Linux's `/proc`);
//! `-- --subscribers N` opens another number, for which `ulimit -n` must have room. Last line: JSON
//! with the kB per subscriber in the last round, whose bar is 25, and in the first.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Parser;
use serde_json::Value;

/// So many come and go first: what the first ones cost once is not a subscriber's.
const WARM_UP: usize = 20;

/// Memory that is allocated and was never written isn't resident; after some coming and going on
/// the same heap there is hardly any left.
const ROUNDS: usize = 5;

/// In which the last ones come to rest.
const REST: Duration = Duration::from_secs(2);

/// Count the resident memory of idle subscribers of the event stream.
#[derive(Debug, Parser)]
struct Options {
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let service = Service::start()?;
    for _ in 0..WARM_UP {
        drop(service.subscribe()?);
    }
    let before = service.resident_kb()?;
    let count = options.subscribers;
    let mut each = Vec::with_capacity(ROUNDS);
    for round in 1..=ROUNDS {
        let begun = Instant::now();
        let subscribers: Vec<TcpStream> =
            (0..count).map(|_| service.subscribe()).collect::<anyhow::Result<_>>()?;
        let opened = begun.elapsed().as_secs_f64();
        let with_them = service.resident_kb()?;
        each.push((with_them as f64 - before as f64) / count.max(1) as f64);
        println!(
            "round {round}: {count} subscribers opened in {opened:.2} s, resident {with_them} kB, \
             {before} kB before"
        );
        drop(subscribers);
        std::thread::sleep(REST);
    }
    println!(
        r#"{{"bench":"subscribers","subscribers":{count},"kb_each_first":{:.1},"kb_each":{:.1}}}"#,
        each[0],
        each[ROUNDS - 1]
    );
    Ok(())
}

struct Service {
    child: Child,
    address: String,
    key: String,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Starts it and waits until it has nothing more to do by itself.
    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let ready = folder.path().join("ready.json");
        // Each subscriber is an open file of the service, too.
        let child = Command::new("sh")
            .args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#])
            .arg(env!("CARGO_BIN_EXE_backchannel"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.path())
            .arg("--ready-file")
            .arg(&ready)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()?;
        let mut service =
            Self { child, address: String::new(), key: String::new(), _folder: folder };
        let access = service.wait_for(&ready)?;
        let field = |name: &str| access[name].as_str().map(str::to_owned).context("a text");
        service.address = field("url")?.trim_start_matches("http://").to_owned();
        service.key = field("api_key")?;
        // The first start embeds the sample articles.
        let deadline = Instant::now() + Duration::from_secs(300);
        while !service.ask("/v1/system")?.contains(r#""degraded":[]"#) {
            if Instant::now() > deadline {
                bail!("the sample articles were not embedded within five minutes");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(service)
    }

    fn wait_for(&mut self, ready: &Path) -> anyhow::Result<Value> {
        loop {
            if let Ok(text) = std::fs::read_to_string(ready) {
                return Ok(serde_json::from_str(&text)?);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the service did not start: {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn request(&self, path: &str, more: &str) -> anyhow::Result<TcpStream> {
        let mut socket = TcpStream::connect(&self.address)?;
        let Self { address, key, .. } = self;
        socket.write_all(
            format!(
                "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n{more}\r\n"
            )
            .as_bytes(),
        )?;
        Ok(socket)
    }

    fn ask(&self, path: &str) -> anyhow::Result<String> {
        let mut answer = String::new();
        self.request(path, "connection: close\r\n")?.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn subscribe(&self) -> anyhow::Result<TcpStream> {
        let mut socket = self.request("/v1/events", "accept: text/event-stream\r\n")?;
        let mut heard = Vec::new();
        let mut piece = [0; 1_024];
        while !heard.ends_with(b": connected\n\n\r\n") {
            let size = socket.read(&mut piece)?;
            if size == 0 {
                bail!("refused: {}", String::from_utf8_lossy(&heard));
            }
            heard.extend_from_slice(&piece[..size]);
        }
        Ok(socket)
    }

    fn resident_kb(&self) -> anyhow::Result<u64> {
        std::thread::sleep(REST);
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
        Ok(number.parse()?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
