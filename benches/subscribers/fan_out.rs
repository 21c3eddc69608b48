//! From the moment a message is posted until each subscriber has its event.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::bare::Bare;
use super::service::Service;

/// Stands before an event's number in its text; the number is in letters, since digits may be masked.
const MARK: &str = "zq-";
const MARK_END: u8 = b'-';
const EVERY: Duration = Duration::from_secs(1);
/// The last event has to arrive.
const LAST: Duration = Duration::from_secs(5);
/// So many connect at the same time.
const CONNECTING: usize = 128;
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);
/// Who doesn't read is posted one of these so often, until it is gone.
const FILLING_WORDS: usize = 3_900;
const FILLING_EVERY: Duration = Duration::from_millis(200);
const GONE_PATIENCE: Duration = Duration::from_secs(60);
/// As small as the kernel lets it be.
const STUCK_BUFFER_BYTES: u32 = 4_096;

pub struct Plan {
    pub subscribers: usize,
    pub stuck: usize,
    pub events: usize,
}

/// Where events come from, and how one is posted.
struct Source {
    address: String,
    path: String,
    key: String,
    http: reqwest::Client,
    /// What is posted to `path`; none: the bare one's event as it goes out, with `MARK` where the number goes.
    frame: Option<String>,
}

/// What subscribers have seen of one measurement.
struct Seen {
    posted: Vec<OnceLock<Instant>>,
    waits: Mutex<Histogram<u64>>,
}

impl Seen {
    fn new(events: usize) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            posted: (0..events).map(|_| OnceLock::new()).collect(),
            waits: Mutex::new(Histogram::new(3)?),
        }))
    }

    fn arrived(&self, number: usize, at: Instant) {
        let Some(posted) = self.posted.get(number).and_then(OnceLock::get) else { return };
        let micros = at.saturating_duration_since(*posted).as_micros() as u64;
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        // It grows with what comes: nothing is out of its range.
        let _ = waits.record(micros);
    }

    /// p50 and p99 in ms, and how many there are.
    fn figures(&self) -> (f64, f64, u64) {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let ms = |quantile: f64| waits.value_at_quantile(quantile) as f64 / 1e3;
        (ms(0.5), ms(0.99), waits.len())
    }
}

pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let service = Service::start(&[])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(plan, &service))
}

async fn measure(plan: &Plan, service: &Service) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let source = |conversation: &str| Source {
        address: service.address.clone(),
        path: format!("/v1/conversations/{conversation}"),
        key: service.key.clone(),
        http: http.clone(),
        frame: None,
    };
    let (normal, filled) = (source("fan-out"), source("filled"));
    normal.open().await?;
    filled.open().await?;

    let frame = normal.sample().await?;
    println!("an event is {} bytes", frame.len());
    let bare = Bare::start()?;
    let bare_source = Source {
        address: bare.address.clone(),
        path: String::new(),
        frame: Some(frame),
        ..source("")
    };
    let seen = Seen::new(plan.events)?;
    let readers = subscribe(&bare_source, plan.subscribers, &seen).await?;
    publish(&bare_source, &seen).await?;
    let by_itself = told("bare axum", &seen, plan)?;
    drop((readers, bare));

    let seen = Seen::new(plan.events)?;
    let (stop, stopped) = watch::channel(false);
    let mut readers = subscribe(&normal, plan.subscribers, &seen).await?;
    let idle = Seen::new(0)?;
    let stuck = subscribe_some(&filled, plan.stuck, &idle, Some(stopped)).await?;
    publish(&normal, &seen).await?;
    let all_read = told("the service", &seen, plan)?;

    readers.abort_all();
    let seen = Seen::new(plan.events)?;
    // Those of before are gone before theirs are counted.
    tokio::time::sleep(LAST).await;
    let readers = subscribe(&normal, plan.subscribers, &seen).await?;
    let (files, before_kb) = (service.open_files()?, service.resident_kb()?);
    stop.send_replace(true);
    let gone = fill(&filled, service, plan, files);
    let (published, gone) = tokio::join!(publish(&normal, &seen), gone);
    published?;
    let (gone, most_kb) = gone?;
    let beside = told("beside those who don't read", &seen, plan)?;
    let each_kb = most_kb.saturating_sub(before_kb) as f64 / plan.stuck.max(1) as f64;
    println!("{} who don't read: gone after {gone:.1} s, {each_kb:.1} kB each", plan.stuck);
    drop((readers, stuck));
    println!(
        r#"{{"bench":"fan_out","subscribers":{},"stuck":{},"bare_p99_ms":{by_itself:.1},"p99_ms":{all_read:.1},"ratio":{:.2},"beside_stuck_p99_ms":{beside:.1},"beside_stuck_ratio":{:.2},"stuck_gone_s":{gone:.1},"stuck_kb_each":{each_kb:.1}}}"#,
        plan.subscribers,
        plan.stuck,
        all_read / by_itself,
        beside / all_read,
    );
    Ok(())
}

/// Prints what was seen; the p99 in ms.
fn told(what: &str, seen: &Seen, plan: &Plan) -> anyhow::Result<f64> {
    let (p50, p99, arrived) = seen.figures();
    let expected = (plan.subscribers * plan.events) as u64;
    println!("{what}: p50 {p50:.1} ms, p99 {p99:.1} ms, {arrived} of {expected} events arrived");
    if arrived < expected {
        bail!("some events are missing");
    }
    Ok(p99)
}

impl Source {
    async fn open(&self) -> anyhow::Result<()> {
        let id = self.path.rsplit('/').next().unwrap_or_default();
        let url = format!("http://{}/v1/conversations", self.address);
        let body = json!({"id": id, "channel": "chat"});
        self.http.post(url).bearer_auth(&self.key).json(&body).send().await?.error_for_status()?;
        Ok(())
    }

    async fn post(&self, text: &str) -> anyhow::Result<()> {
        let request = match &self.frame {
            Some(_) => {
                self.http.post(format!("http://{}/publish", self.address)).body(text.to_owned())
            }
            None => {
                let url = format!("http://{}{}/turns", self.address, self.path);
                let body = json!({"role": "agent", "text": text});
                self.http.post(url).bearer_auth(&self.key).json(&body)
            }
        };
        request.send().await?.error_for_status()?;
        Ok(())
    }

    async fn post_number(&self, number: usize) -> anyhow::Result<()> {
        let mark = mark(number);
        match &self.frame {
            Some(frame) => self.post(&frame.replacen(&format!("{MARK}x-"), &mark, 1)).await,
            None => self.post(&said(&mark)).await,
        }
    }

    /// The data of one event, with the mark `x`.
    async fn sample(&self) -> anyhow::Result<String> {
        let mut socket = self.connect(None).await?;
        self.post(&said(&format!("{MARK}x-"))).await?;
        let (mut heard, mut piece) = (Vec::new(), [0; 4_096]);
        loop {
            let read = tokio::time::timeout(CONNECT_PATIENCE, socket.read(&mut piece)).await??;
            heard.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&heard);
            // With its end: the rest may still be on its way.
            let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            let mut events = lines.filter_map(|line| line.strip_prefix("data: "));
            if let Some(data) = events.find(|data| data.contains(MARK)) {
                return Ok(data.to_owned());
            }
            if read == 0 {
                bail!("the stream ended");
            }
        }
    }

    /// A stream that has greeted.
    async fn connect(&self, buffer_bytes: Option<u32>) -> anyhow::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        let mut socket = socket.connect(self.address.parse()?).await?;
        let Self { address, path, key, .. } = self;
        let head = format!(
            "GET {path}/events?types=turn.final HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             accept: text/event-stream\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await?;
        let (mut heard, mut piece) = (Vec::new(), [0; 1_024]);
        while !heard.windows(11).any(|part| part == b": connected") {
            let read = tokio::time::timeout(CONNECT_PATIENCE, socket.read(&mut piece)).await??;
            if read == 0 {
                bail!("refused: {}", String::from_utf8_lossy(&heard));
            }
            heard.extend_from_slice(&piece[..read]);
        }
        Ok(socket)
    }
}

fn said(mark: &str) -> String {
    format!("Thank you for waiting, here we are: {mark}")
}

fn mark(number: usize) -> String {
    let digits = number.to_string().into_bytes();
    let letters: String = digits.iter().map(|digit| char::from(digit - b'0' + b'a')).collect();
    format!("{MARK}{letters}-")
}

/// One event in each second; each is waited for by everybody.
async fn publish(source: &Source, seen: &Seen) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(EVERY);
    for (number, posted) in seen.posted.iter().enumerate() {
        ticks.tick().await;
        let _ = posted.set(Instant::now());
        source.post_number(number).await?;
    }
    tokio::time::sleep(LAST).await;
    Ok(())
}

async fn subscribe(source: &Source, count: usize, seen: &Arc<Seen>) -> anyhow::Result<JoinSet<()>> {
    subscribe_some(source, count, seen, None).await
}

/// Subscribers who read until they are told to stop, if ever.
async fn subscribe_some(
    source: &Source,
    count: usize,
    seen: &Arc<Seen>,
    stopped: Option<watch::Receiver<bool>>,
) -> anyhow::Result<JoinSet<()>> {
    let buffer = stopped.as_ref().map(|_| STUCK_BUFFER_BYTES);
    let mut connecting = futures_util::stream::iter(0..count)
        .map(|_| source.connect(buffer))
        .buffer_unordered(CONNECTING);
    let mut readers = JoinSet::new();
    while let Some(socket) = connecting.next().await {
        readers.spawn(read(socket.context("a subscriber")?, seen.clone(), stopped.clone()));
    }
    Ok(readers)
}

async fn read(mut socket: TcpStream, seen: Arc<Seen>, mut stopped: Option<watch::Receiver<bool>>) {
    let (mut rest, mut piece) = (Vec::new(), vec![0; 4_096]);
    loop {
        let stop = async {
            match &mut stopped {
                Some(stopped) => drop(stopped.wait_for(|stopped| *stopped).await),
                None => std::future::pending().await,
            }
        };
        let read = tokio::select! {
            () = stop => break,
            read = socket.read(&mut piece) => read,
        };
        let Ok(size @ 1..) = read else { return };
        let at = Instant::now();
        rest.extend_from_slice(&piece[..size]);
        let kept = numbers(&rest, |number| seen.arrived(number, at));
        rest.drain(..kept);
    }
    // Open, and never read again.
    std::future::pending::<()>().await;
}

/// Tells each whole mark; how much of the bytes is done with.
fn numbers(bytes: &[u8], mut tell: impl FnMut(usize)) -> usize {
    let mark = MARK.as_bytes();
    let mut done = 0;
    while let Some(at) = bytes[done..].windows(mark.len()).position(|part| part == mark) {
        let begin = done + at + mark.len();
        let Some(length) = bytes[begin..].iter().position(|byte| *byte == MARK_END) else {
            return done + at;
        };
        let letters = &bytes[begin..begin + length];
        let digits: Option<String> = letters
            .iter()
            .map(|byte| matches!(byte, b'a'..=b'j').then(|| char::from(byte - b'a' + b'0')))
            .collect();
        if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
            tell(number);
        }
        done = begin + length;
    }
    // The beginning of a mark may be at the end.
    done.max(bytes.len().saturating_sub(mark.len() - 1))
}

/// Posts long messages to those who don't read until they are gone: after how many seconds, and the most kB that the service
/// had meanwhile.
async fn fill(
    source: &Source,
    service: &Service,
    plan: &Plan,
    files: usize,
) -> anyhow::Result<(f64, u64)> {
    let long = "and so on ".repeat(FILLING_WORDS / 2);
    let (begun, mut most_kb) = (Instant::now(), 0);
    loop {
        most_kb = most_kb.max(service.resident_kb()?);
        let left = (service.open_files()? + plan.stuck).saturating_sub(files);
        // Some files come and go by themselves.
        if left <= plan.stuck / 100 {
            return Ok((begun.elapsed().as_secs_f64(), most_kb));
        }
        if begun.elapsed() > GONE_PATIENCE {
            bail!("{left} who don't read are still there");
        }
        source.post(&long).await?;
        tokio::time::sleep(FILLING_EVERY).await;
    }
}
