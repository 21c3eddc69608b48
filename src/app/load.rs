//! Watches how the recognisers keep up, announces what is given up, and finds out how many calls this
//! machine can hold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::notices::Notices;
use crate::flow::driver::Calls;
use crate::models::{self, LoadController, LoadLevel, Order, Outcome, SpeechPool, Urgency};

/// The word of the notice.
pub(super) const WHAT: &str = "speech_load";
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Until the machine has been measured, each worker is trusted with so many calls.
pub(super) const CALLS_PER_WORKER: usize = 6;

/// Adjusts the level until `stop`.
pub(super) async fn watch(speech: Arc<SpeechPool>, notices: Arc<Notices>, stop: CancellationToken) {
    let begun = Instant::now();
    let mut controller = LoadController::default();
    let mut level = LoadLevel::default();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = controller.observe(begun.elapsed(), speech.pressure());
        if now == level {
            continue;
        }
        level = now;
        speech.set_level(level);
        match level.detail() {
            Some(detail) => notices.degraded(WHAT, detail).await,
            None => notices.recovered(WHAT).await,
        }
    }
}

/// How much of a leg of a call is speech, as a rule (two legs of 40 % each).
const TALK_SHARE_OF_CALL: f64 = 0.8;
/// How much of the workers' time may go into finals: the rest is for peaks, when several people
/// finish at once, and for what else the machine does.
const SHARE_FOR_FINALS: f64 = 0.6;
/// Speech has more tokens than the noise that is measured with.
const TOKENS_OF_SPEECH: f64 = 1.4;
const MEASURED_SECONDS: usize = 4;
const MEASUREMENTS: usize = 3;

/// Decodes a few seconds of noise and sets how many calls may be live at once by what that takes.
pub(super) fn measure(speech: &SpeechPool, calls: &Calls) {
    let samples = noise(MEASURED_SECONDS * models::SAMPLE_RATE_HZ as usize);
    // The quickest of them: whatever disturbs makes it slower, never quicker.
    let quickest = (0..MEASUREMENTS).filter_map(|_| time_one(speech, samples.clone())).min();
    let Some(quickest) = quickest else { return };
    let per_second = quickest.as_secs_f64() * TOKENS_OF_SPEECH / MEASURED_SECONDS as f64;
    let calls_max = capacity(speech.workers(), per_second);
    tracing::info!(
        calls.max = calls_max,
        decode_ms_per_audio_second = (per_second * 1_000.0) as u64,
        "measured how many calls this machine can hold; `calls.max` overrides it"
    );
    calls.set_max(calls_max);
}

fn capacity(workers: usize, decode_seconds_per_audio_second: f64) -> usize {
    let one_call = TALK_SHARE_OF_CALL * decode_seconds_per_audio_second;
    let calls = workers as f64 * SHARE_FOR_FINALS / one_call.max(1e-6);
    (calls as usize).clamp(1, 10_000)
}

fn time_one(speech: &SpeechPool, samples: Vec<f32>) -> Option<Duration> {
    let (done, ended) = std::sync::mpsc::channel();
    let begun = Instant::now();
    let reply = move |outcome| {
        if matches!(outcome, Outcome::Heard(_)) {
            // Nobody waits when the service has been stopped meanwhile.
            let _ = done.send(begun.elapsed());
        }
    };
    speech.submit(Order::new(Urgency::Early, samples), Box::new(reply));
    ended.recv().ok()
}

/// Noise that swells and fades like syllables. The same every time.
fn noise(samples: usize) -> Vec<f32> {
    let mut state = 0x2545_F491_u32;
    (0..samples)
        .map(|n| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let seconds = n as f32 / models::SAMPLE_RATE_HZ as f32;
            let swell = (std::f32::consts::TAU * 4.0 * seconds).sin().max(0.0);
            (state as f32 / u32::MAX as f32 - 0.5) * 0.2 * swell
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_what_the_workers_can_decode_with_room_to_spare() {
        for (workers, cost, expected) in [(2, 0.12, 12), (2, 0.07, 21), (8, 0.07, 85), (1, 9.0, 1)]
        {
            assert_eq!(capacity(workers, cost), expected, "{workers} workers at {cost}");
        }
    }
}
