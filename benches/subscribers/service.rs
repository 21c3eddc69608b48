//! The service as a process of its own, so that nothing of the subscribers' side counts.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

pub struct Service {
    child: Child,
    pub address: String,
    pub key: String,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Starts it and waits until it has nothing more to do by itself.
    pub fn start() -> anyhow::Result<Self> {
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

    pub fn subscribe(&self) -> anyhow::Result<TcpStream> {
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

    /// In kB.
    pub fn resident_kb(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
        Ok(number.parse()?)
    }

    /// Files and sockets that it has open.
    pub fn open_files(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
