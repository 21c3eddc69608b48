//! What a run of a crowd comes to, in numbers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::evaluate::live::quantile;

use super::crowd::{Plan, RAMP, Sample};
use super::service::Service;
use super::talk::{FRAME_MS, Said, Talk};

/// A final whose middle lies so near a turn is of it (as in `evaluate::live`); what follows a turn's
/// last voice until the next belongs to it, too.
const BEFORE_MS: u64 = 300;
const AFTER_MS: u64 = 700;
/// Turns of which something should be shown while they are spoken.
const SHOWN_FROM_MS: u64 = 2_000;

pub struct Call {
    pub id: String,
    /// Whose place in the crowd it has.
    pub line: usize,
    pub started: Instant,
    pub talk: Arc<Talk>,
}

pub struct Outcome {
    pub begun: Instant,
    pub played: Duration,
    pub calls: Vec<Call>,
    /// Status, whether it said when to try again, and how long the answer took.
    pub refused: Vec<(u16, bool, Duration)>,
    /// Call, leg, start and end in the call, when it came.
    pub finals: Vec<(usize, usize, u64, u64, Instant)>,
    /// Call, leg, start of its turn, when it came.
    pub partials: Vec<(usize, usize, u64, Instant)>,
    pub gaps: usize,
    pub unended: usize,
    pub notices: Vec<(Instant, String)>,
    pub samples: Vec<Sample>,
    /// The page of the service's meters at the end.
    pub page: String,
    pub service_cpu: Duration,
    pub player_cpu: Duration,
    /// The latest frame, and the most that the kernel had no room for.
    pub player_late: Duration,
    pub backlog_bytes: usize,
    pub load_gone: Instant,
    pub recovered: Option<Duration>,
}

impl Outcome {
    pub fn new(begun: Instant) -> Self {
        Self {
            begun,
            played: Duration::ZERO,
            calls: Vec::new(),
            refused: Vec::new(),
            finals: Vec::new(),
            partials: Vec::new(),
            gaps: 0,
            unended: 0,
            notices: Vec::new(),
            samples: Vec::new(),
            page: String::new(),
            service_cpu: Duration::ZERO,
            player_cpu: Duration::ZERO,
            player_late: Duration::ZERO,
            backlog_bytes: 0,
            load_gone: begun,
            recovered: None,
        }
    }
}

/// Delays in seconds.
#[derive(Default)]
pub struct Figures {
    pub turns: usize,
    pub lost: usize,
    pub to_final: Vec<f64>,
    /// From the start of a turn to the first words of it.
    pub to_first: Vec<f64>,
    /// Between two changes on the screen while somebody speaks.
    pub between: Vec<f64>,
}

pub fn figures(outcome: &Outcome, speed: f64) -> Figures {
    let mut figures = Figures::default();
    for (number, call) in outcome.calls.iter().enumerate() {
        let due = |ms: u64| {
            call.started + Duration::from_secs_f64((ms / FRAME_MS * FRAME_MS) as f64 / 1e3 / speed)
        };
        let finals: Vec<_> = outcome.finals.iter().filter(|one| one.0 == number).collect();
        let partials: Vec<_> = outcome.partials.iter().filter(|one| one.0 == number).collect();
        for said in &call.talk.said {
            let around = said.start_ms.saturating_sub(BEFORE_MS)..=said.end_ms + AFTER_MS;
            let last = finals
                .iter()
                .filter(|(_, leg, from, to, _)| {
                    *leg == said.leg && around.contains(&u64::midpoint(*from, *to))
                })
                .map(|one| one.4)
                .max();
            figures.turns += 1;
            figures.lost += usize::from(last.is_none());
            if due(said.start_ms) < outcome.begun + RAMP {
                continue;
            }
            let since = |at: Instant, ms: u64| {
                let due = due(ms);
                at.checked_duration_since(due)
                    .map_or_else(|| -(due - at).as_secs_f64(), |passed| passed.as_secs_f64())
            };
            figures.to_final.extend(last.map(|at| since(at, said.end_ms - 1)));
            shown(said, &partials, due(said.start_ms), due(said.end_ms), &mut figures);
        }
    }
    figures
}

fn shown(
    said: &Said,
    partials: &[&(usize, usize, u64, Instant)],
    from: Instant,
    to: Instant,
    figures: &mut Figures,
) {
    if said.end_ms - said.start_ms < SHOWN_FROM_MS {
        return;
    }
    let around = said.start_ms.saturating_sub(BEFORE_MS)..=said.end_ms;
    let mut last = from;
    for (_, leg, start_ms, at) in partials {
        if *leg != said.leg || !around.contains(start_ms) || *at < from || *at > to {
            continue;
        }
        if last == from {
            figures.to_first.push((*at - from).as_secs_f64());
        } else {
            figures.between.push((*at - last).as_secs_f64());
        }
        last = *at;
    }
}

fn spread(values: &[f64]) -> String {
    let at = |q| quantile(values, q).map_or_else(|| "–".to_owned(), |s| format!("{s:.2}"));
    format!("{} / {} / {} s", at(0.5), at(0.95), at(0.99))
}

pub fn table(outcome: &Outcome, plan: &Plan) -> String {
    let figures = figures(outcome, plan.speed);
    let mut rows: Vec<(&str, String)> = Vec::new();
    let spoken: u64 = outcome.calls.iter().flat_map(|call| call.talk.spoken_ms()).sum();
    let length: u64 = outcome.calls.iter().map(|call| call.talk.frames() * FRAME_MS).sum();
    rows.push(("calls offered at any time", plan.offered.to_string()));
    let live = live_at_most(outcome, plan.speed);
    rows.push(("calls played, at most at once", format!("{}, {live}", outcome.calls.len())));
    rows.push((
        "talk of a leg",
        format!("{:.0} %", spoken as f64 / (2 * length.max(1)) as f64 * 100.0),
    ));
    rows.push(("end of speech → final, p50 / p95 / p99", spread(&figures.to_final)));
    rows.push(("turns, lost finals", format!("{}, {}", figures.turns, figures.lost)));
    rows.push(("start of speech → first words, p50 / p95 / p99", spread(&figures.to_first)));
    rows.push(("between two partials, p50 / p95 / p99", spread(&figures.between)));
    let meter = |name: &str, labels: &str| {
        Service::meter(&outcome.page, name, labels).unwrap_or(0.0) as u64
    };
    let of_partials = r#"purpose="partial""#;
    rows.push((
        "partials decoded, given up",
        format!(
            "{}, {}",
            meter("backchannel_speech_decode_seconds_count", of_partials),
            meter("backchannel_speech_cancelled_total", of_partials)
        ),
    ));
    rows.push((
        "audio dropped: payloads, gaps",
        format!("{}, {}", meter("backchannel_audio_dropped_payloads_total", ""), outcome.gaps),
    ));
    rows.push(("calls without an end", outcome.unended.to_string()));
    rows.push(("load levels", levels(outcome)));
    rows.push(("resident: start / end / most", resident(outcome)));
    let share = |cpu: Duration| cpu.as_secs_f64() / outcome.played.as_secs_f64().max(0.1);
    rows.push((
        "processors in use: service, player",
        format!("{:.2}, {:.2}", share(outcome.service_cpu), share(outcome.player_cpu)),
    ));
    rows.push((
        "player: latest frame, most unread by the service",
        format!("{} ms, {} B", outcome.player_late.as_millis(), outcome.backlog_bytes),
    ));
    if !outcome.refused.is_empty() {
        let good = outcome.refused.iter().filter(|(status, again, _)| *status == 429 && *again);
        let took: Vec<f64> = outcome.refused.iter().map(|one| one.2.as_secs_f64() * 1e3).collect();
        let at = |q| quantile(&took, q).unwrap_or(0.0);
        rows.push((
            "refused, of these 429 with Retry-After",
            format!("{}, {}", outcome.refused.len(), good.count()),
        ));
        rows.push((
            "refused after, p50 / p99 / most",
            format!("{:.1} / {:.1} / {:.1} ms", at(0.5), at(0.99), at(1.0)),
        ));
    }
    let recovered = outcome
        .recovered
        .map_or_else(|| "never".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
    rows.push(("recovered after the load", recovered));
    let mut text = String::from("| what | |\n|---|---|\n");
    for (what, value) in rows {
        text.push_str(&format!("| {what} | {value} |\n"));
    }
    text
}

fn live_at_most(outcome: &Outcome, speed: f64) -> usize {
    let spans: Vec<(Instant, Instant)> = outcome
        .calls
        .iter()
        .map(|call| {
            let ms = (call.talk.frames() * FRAME_MS) as f64 / speed;
            (call.started, call.started + Duration::from_secs_f64(ms / 1e3))
        })
        .collect();
    let live = |at: Instant| spans.iter().filter(|(from, to)| *from <= at && at < *to).count();
    spans.iter().map(|(from, _)| live(*from)).max().unwrap_or(0)
}

fn levels(outcome: &Outcome) -> String {
    let playing = outcome.samples.iter().filter(|sample| sample.at <= outcome.load_gone);
    let mut counts = [0_usize; 8];
    for sample in playing {
        counts[usize::from(sample.level).min(7)] += 1;
    }
    let all: usize = counts.iter().sum();
    let shares =
        counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(level, count)| {
            format!("{level}: {:.0} %", *count as f64 / all.max(1) as f64 * 100.0)
        });
    let shares: Vec<String> = shares.collect();
    format!("{} ({} notices)", shares.join(", "), outcome.notices.len())
}

/// Start: when everybody has been there for a while.
fn resident(outcome: &Outcome) -> String {
    let settled = outcome.begun + RAMP + outcome.played.mul_f64(0.1);
    let mb = |sample: Option<&Sample>| sample.map_or(0, |sample| sample.resident_kb / 1_024);
    let playing = || outcome.samples.iter().filter(|sample| sample.at <= outcome.load_gone);
    let end = playing().next_back();
    let start = playing().find(|sample| sample.at >= settled).or(outcome.samples.first());
    let most = outcome.samples.iter().max_by_key(|sample| sample.resident_kb);
    format!("{} / {} / {} MB", mb(start), mb(end), mb(most))
}
