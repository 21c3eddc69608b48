//! Many calls at once, open-loop: each frame leaves at its own time whatever the service does, and
//! times count from when a frame was due, not from when it could be sent.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::figures::{Call, Outcome};
use super::listen::{Heard, listen};
use super::service::{Dialled, Service, cpu_of};
use super::talk::{FRAME_MS, Pieces, Talk, put_text};

/// Longer runs are several calls, one after the other, as they are in a contact centre.
const CALL_MAX_MS: u64 = 240_000;
/// The first calls begin within this time; what is said until then isn't measured.
pub const RAMP: Duration = Duration::from_secs(10);
/// How long the last finals may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Who is refused tries again so often, all the time: overload doesn't go away by itself.
const REDIAL: Duration = Duration::from_secs(1);
const SAMPLE_EVERY: Duration = Duration::from_millis(250);

pub struct Plan {
    /// Calls that are offered at any time.
    pub offered: usize,
    pub length: Duration,
    pub talk_share: f64,
    /// Times real speed.
    pub speed: f64,
    /// Refused callers try again.
    pub redial: bool,
}

/// One look at the service.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub at: Instant,
    pub resident_kb: u64,
    pub level: u8,
}

/// A call that is being played.
struct Line {
    socket: TcpStream,
    call: usize,
    talk: Arc<Talk>,
    started: Instant,
    frame: u64,
    /// What the kernel had no room for.
    pending: Vec<u8>,
}

struct Order {
    at: Instant,
    line: usize,
}

struct Connected {
    line: usize,
    id: String,
    dialled: anyhow::Result<Dialled>,
}

/// Plays the plan and collects what happened.
pub fn play(service: &Arc<Service>, pieces: &Pieces, plan: &Plan) -> anyhow::Result<Outcome> {
    let (heard_by, heard) = mpsc::channel();
    let listening = listen(service, heard_by)?;
    let over = Arc::new(AtomicBool::new(false));
    let sampler = {
        let (service, over) = (Arc::clone(service), Arc::clone(&over));
        std::thread::spawn(move || sample(&service, &over))
    };
    let (orders, to_dial) = mpsc::channel::<Order>();
    let (connected_by, connected) = mpsc::channel();
    let dialler = {
        let service = Arc::clone(service);
        std::thread::spawn(move || dial_all(&service, &to_dial, &connected_by))
    };

    let cpu_before = (service.cpu()?, cpu_of("self")?);
    let begun = Instant::now();
    let scaled = |ms: u64| Duration::from_secs_f64(ms as f64 / 1_000.0 / plan.speed);
    let ends = begun + RAMP + plan.length;
    let mut outcome = Outcome::new(begun);
    let mut lines: Vec<Line> = Vec::new();
    let mut waiting = plan.offered;
    for line in 0..plan.offered {
        let at = begun + RAMP.mul_f64(line as f64 / plan.offered as f64);
        orders.send(Order { at, line })?;
    }
    let mut number = 0;
    while !lines.is_empty() || (waiting > 0 && Instant::now() < ends) {
        while let Ok(Connected { line, id, dialled }) = connected.try_recv() {
            waiting -= 1;
            let now = Instant::now();
            match dialled? {
                Dialled::Taken(socket) => {
                    let left = ends.saturating_duration_since(now).as_secs_f64() * plan.speed;
                    let length_ms =
                        ((left * 1_000.0) as u64).min(CALL_MAX_MS) / FRAME_MS * FRAME_MS;
                    number += 1;
                    let talk = Arc::new(pieces.talk(number, length_ms, plan.talk_share));
                    let call = outcome.calls.len();
                    outcome.calls.push(Call { id, line, started: now, talk: Arc::clone(&talk) });
                    lines.push(Line {
                        socket,
                        call,
                        talk,
                        started: now,
                        frame: 0,
                        pending: Vec::new(),
                    });
                }
                Dialled::Refused { status, retry_after, took } => {
                    outcome.refused.push((status, retry_after, took));
                    if plan.redial {
                        waiting += 1;
                        orders.send(Order { at: now + REDIAL, line })?;
                    }
                }
            }
        }
        let mut index = 0;
        while index < lines.len() {
            let line = &mut lines[index];
            let mut due = line.started + scaled(line.frame * FRAME_MS);
            let now = Instant::now();
            while line.frame < line.talk.frames() && due <= now {
                line.talk.put_frame(line.frame, &mut line.pending);
                outcome.player_late = outcome.player_late.max(now - due);
                line.frame += 1;
                due = line.started + scaled(line.frame * FRAME_MS);
            }
            let done = line.frame == line.talk.frames();
            if done {
                put_text(r#"{"type":"stop"}"#, &mut line.pending);
            }
            write_some(line).with_context(|| outcome.calls[line.call].id.clone())?;
            outcome.backlog_bytes = outcome.backlog_bytes.max(line.pending.len());
            if !done {
                index += 1;
                continue;
            }
            let line = lines.swap_remove(index);
            hang_up(line.socket, line.pending);
            if Instant::now() + Duration::from_secs(5) < ends {
                waiting += 1;
                orders.send(Order { at: Instant::now(), line: outcome.calls[line.call].line })?;
            }
        }
        let next = lines.iter().map(|line| line.started + scaled(line.frame * FRAME_MS)).min();
        let pause = next.map_or(Duration::from_millis(5), |next| {
            next.saturating_duration_since(Instant::now())
        });
        std::thread::sleep(pause.min(Duration::from_millis(5)));
    }
    outcome.load_gone = Instant::now();
    outcome.played = outcome.load_gone - begun;
    drop(orders);
    outcome.service_cpu = service.cpu()? - cpu_before.0;
    outcome.player_cpu = cpu_of("self")? - cpu_before.1;

    collect(&heard, &mut outcome);
    outcome.recovered = recovery(service, outcome.load_gone)?;
    outcome.page = service.ask("/metrics")?;
    over.store(true, Ordering::Relaxed);
    outcome.samples = sampler.join().expect("no panic")?;
    // What was still to be dialled was answered, or isn't wanted any more.
    drop(connected);
    drop(heard);
    drop(dialler);
    drop(listening);
    Ok(outcome)
}

fn write_some(line: &mut Line) -> std::io::Result<()> {
    while !line.pending.is_empty() {
        match line.socket.write(&line.pending) {
            Ok(written) => drop(line.pending.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits aside until the service has closed, as a media side does.
fn hang_up(mut socket: TcpStream, pending: Vec<u8>) {
    std::thread::spawn(move || {
        let _ = socket.set_nonblocking(false);
        let _ = socket.set_read_timeout(Some(PATIENCE));
        let _ = socket.write_all(&pending);
        let mut answer = [0; 1_024];
        while matches!(socket.read(&mut answer), Ok(size) if size > 0) {}
    });
}

fn dial_all(service: &Service, orders: &mpsc::Receiver<Order>, done: &mpsc::Sender<Connected>) {
    let mut later: Vec<Order> = Vec::new();
    let mut count = 0;
    loop {
        match orders.recv_timeout(Duration::from_millis(2)) {
            Ok(order) => later.push(order),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        while let Some(index) = later.iter().position(|order| order.at <= Instant::now()) {
            let line = later.swap_remove(index).line;
            count += 1;
            let id = format!("crowd-{count}");
            let dialled = service.dial(&id);
            if done.send(Connected { line, id, dialled }).is_err() {
                return;
            }
        }
    }
}

fn sample(service: &Service, over: &AtomicBool) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let page = service.ask("/metrics")?;
        let level = Service::meter(&page, "backchannel_load_level", "").unwrap_or(0.0) as u8;
        samples.push(Sample { at: Instant::now(), resident_kb: service.resident_kb()?, level });
        std::thread::sleep(SAMPLE_EVERY);
    }
    Ok(samples)
}

/// Takes what was heard until all calls have ended.
fn collect(heard: &mpsc::Receiver<(Instant, Heard)>, outcome: &mut Outcome) {
    let mut call_of: HashMap<String, usize> = HashMap::new();
    let by_id: HashMap<String, usize> =
        outcome.calls.iter().enumerate().map(|(call, one)| (one.id.clone(), call)).collect();
    let deadline = Instant::now() + PATIENCE;
    let mut open = outcome.calls.len();
    while open > 0 {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok((at, heard)) = heard.recv_timeout(left) else { break };
        match heard {
            Heard::Started { subject, external_id } => {
                call_of.extend(by_id.get(&external_id).map(|call| (subject, *call)));
            }
            Heard::Ended { subject } => open -= usize::from(call_of.contains_key(&subject)),
            Heard::Final { subject, leg, start_ms, end_ms } => {
                if let Some(call) = call_of.get(&subject) {
                    outcome.finals.push((*call, leg, start_ms, end_ms, at));
                }
            }
            Heard::Partial { subject, leg, start_ms } => {
                if let Some(call) = call_of.get(&subject) {
                    outcome.partials.push((*call, leg, start_ms, at));
                }
            }
            Heard::Gap => outcome.gaps += 1,
            Heard::Notice { detail } => outcome.notices.push((at, detail)),
        }
    }
    outcome.unended = open;
}

/// How long after the load the service is as before: nothing reduced, and a call is taken.
fn recovery(service: &Service, load_gone: Instant) -> anyhow::Result<Option<Duration>> {
    while load_gone.elapsed() < PATIENCE {
        let page = service.ask("/metrics")?;
        let level = Service::meter(&page, "backchannel_load_level", "").unwrap_or(0.0);
        if level == 0.0 && matches!(service.dial("probe")?, Dialled::Taken(_)) {
            return Ok(Some(load_gone.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(None)
}
