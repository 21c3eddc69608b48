//! What a player of calls asks of the service.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::talk::put_text;

#[path = "../support/service.rs"]
mod started;

pub use self::started::Service;

/// What a connection was answered.
pub enum Dialled {
    Taken(TcpStream),
    Refused { status: u16, retry_after: bool, took: Duration },
}

impl Service {
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

    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(&self.process().to_string())
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
