//! A language model that is slow and lies: half of its answers are status 500, a quarter stall for 30 s, a quarter are broken
//! JSON. Its timings are nobody's; what counts is what happens beside it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const STALL: Duration = Duration::from_secs(30);
/// No request is longer than that; what is left of one isn't read.
const REQUEST_BYTES: usize = 64 << 10;

/// Starts it; the settings with which the service asks it first, and writes by itself otherwise.
pub fn settings() -> anyhow::Result<Vec<(&'static str, String)>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    std::thread::spawn(move || {
        let asked = AtomicUsize::new(0);
        for socket in listener.incoming().flatten() {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            // A connection each: who stalls holds nobody up.
            std::thread::spawn(move || answer(socket, number));
        }
    });
    Ok(vec![
        ("BACKCHANNEL__GENERATION__CHAIN", r#"["lab", "extractive"]"#.to_owned()),
        ("BACKCHANNEL__GENERATION__PROVIDERS__LAB__KIND", "openai".to_owned()),
        ("BACKCHANNEL__GENERATION__PROVIDERS__LAB__URL", url),
        ("BACKCHANNEL__GENERATION__PROVIDERS__LAB__MODEL", "lying".to_owned()),
    ])
}

/// Who goes away early is no fault.
fn answer(mut socket: TcpStream, number: usize) {
    let mut request = vec![0; REQUEST_BYTES];
    let Ok(size) = socket.read(&mut request) else { return };
    if size == 0 {
        return;
    }
    if number % 4 == 1 {
        std::thread::sleep(STALL);
    }
    let half = r#"data: {"model":"lying","choices":[{"index":0,"delta":{"content":"{\"text\": \"Half"},"finish_reason":"stop"}]}"#;
    let body = match number % 4 {
        0 | 2 => String::new(),
        _ => format!("{half}\n\ndata: [DONE]\n\n"),
    };
    let status = if body.is_empty() { "500 Internal Server Error" } else { "200 OK" };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = socket.write_all(format!("{head}{body}").as_bytes());
}
