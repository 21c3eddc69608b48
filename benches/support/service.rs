//! The service as a process of its own, so that its time and memory are told from those of whoever measures it.

use std::io::{Read, Write};
use std::net::TcpStream;
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
    /// Starts it with these settings, and waits until it has nothing to do by itself: the first start embeds the
    /// sample articles.
    pub fn start(settings: &[(&str, String)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let ready = folder.path().join("ready.json");
        // Each connection is an open file of the service, too.
        let child = Command::new("sh")
            .args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#])
            .arg(env!("CARGO_BIN_EXE_backchannel"))
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

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// In kB.
    pub fn resident_kb(&self) -> anyhow::Result<u64> {
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
