//! The service as a process of its own, so that its time and memory are told from the player's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use super::talk::put_text;

pub struct Service {
    child: Child,
    pub address: String,
    pub key: String,
    _folder: tempfile::TempDir,
}

/// What a connection was answered.
pub enum Dialled {
    Taken(TcpStream),
    Refused { status: u16, retry_after: bool, took: Duration },
}

impl Service {
    /// Starts it with these settings, and waits until it has nothing to do by itself.
    pub fn start(settings: &[(&str, String)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let ready = folder.path().join("ready.json");
        let child = Command::new(env!("CARGO_BIN_EXE_backchannel"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.path())
            .arg("--ready-file")
            .arg(&ready)
            .env("RUST_LOG", "error")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .spawn()?;
        let mut service =
            Self { child, address: String::new(), key: String::new(), _folder: folder };
        let access: Value = loop {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                break serde_json::from_str(&text)?;
            }
            if let Some(status) = service.child.try_wait()? {
                bail!("the service did not start: {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let field = |name: &str| access[name].as_str().map(str::to_owned).context("a text");
        service.address = field("url")?.trim_start_matches("http://").to_owned();
        service.key = field("api_key")?;
        let deadline = Instant::now() + Duration::from_secs(300);
        while !service.ask("/v1/system")?.contains(r#""degraded":[]"#) {
            if Instant::now() > deadline {
                bail!("the service was not at rest within five minutes");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(service)
    }

    pub fn request(&self, path: &str, more: &str) -> anyhow::Result<TcpStream> {
        let mut socket = TcpStream::connect(&self.address)?;
        let Self { address, key, .. } = self;
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n{more}\r\n"
        );
        socket.write_all(head.as_bytes())?;
        Ok(socket)
    }

    pub fn ask(&self, path: &str) -> anyhow::Result<String> {
        let mut answer = String::new();
        self.request(path, "connection: close\r\n")?.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Opens a call's media connection and starts the call.
    pub fn dial(&self, external_id: &str) -> anyhow::Result<Dialled> {
        let begun = Instant::now();
        let mut socket = self.request(
            "/v1/media/pcm",
            "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: YmFja2NoYW5uZWwgYmVuY2g=\r\n",
        )?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if socket.read(&mut byte)? == 0 {
                bail!("no answer to a connection");
            }
            head.push(byte[0]);
        }
        let took = begun.elapsed();
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let status = head.split(' ').nth(1).context("a status")?.parse()?;
        if status != 101 {
            let retry_after = head.contains("\r\nretry-after:");
            return Ok(Dialled::Refused { status, retry_after, took });
        }
        let start = serde_json::json!({"type": "start", "encoding": "mulaw", "sample_rate_hz": 8000,
            "channels": 2, "parties": ["customer", "agent"], "external_id": external_id});
        let mut message = Vec::new();
        put_text(&start.to_string(), &mut message);
        socket.write_all(&message)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Dialled::Taken(socket))
    }

    /// A gauge or a counter, summed over its labels; `labels` picks by a part of them.
    pub fn meter(page: &str, name: &str, labels: &str) -> Option<f64> {
        let values = page.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (found, value) = rest.rsplit_once(' ')?;
            let is_one = found.is_empty() || found.starts_with('{');
            (is_one && found.contains(labels)).then(|| value.parse::<f64>().ok())?
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    pub fn resident_kb(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
        Ok(number.parse()?)
    }

    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(&self.child.id().to_string())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of a process (proc(5), fields 14 and 15, in hundredths of a second); `self` is ours.
pub fn cpu_of(process: &str) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("a stat line")?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
