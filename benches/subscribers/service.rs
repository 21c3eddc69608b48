//! What a subscriber asks of the service.

use std::io::Read;
use std::net::TcpStream;

use anyhow::bail;

#[path = "../support/service.rs"]
mod started;

pub use self::started::Service;

impl Service {
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

    /// Files and sockets that it has open.
    pub fn open_files(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.process()))?.count())
    }
}
