use std::sync::mpsc;
use std::time::Duration;

use super::*;

/// Says which recogniser listened, after the test lets it.
struct Gated {
    name: &'static str,
    gate: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl Transcriber for Gated {
    fn transcribe(&mut self, samples: &[f32], _hints: &Hints) -> Result<Heard, ModelError> {
        let gate = self.gate.lock().map_err(|_| ModelError::Failed("gate".into()))?;
        gate.recv_timeout(Duration::from_secs(5))
            .map_err(|_| ModelError::Failed("never opened".into()))?;
        let text = format!("{}{}", self.name, samples.len());
        let word = crate::models::HeardWord { text, start_ms: 0, end_ms: 1, confidence: 1.0 };
        Ok(Heard { words: vec![word], tokens: 1, ..Heard::default() })
    }
}

fn pool(workers: usize) -> (SpeechPool, mpsc::Sender<()>) {
    let (open, gate) = mpsc::channel();
    let gate = Arc::new(Mutex::new(gate));
    let ears = (0..workers)
        .map(|_| Ears {
            finals: Box::new(Gated { name: "final", gate: Arc::clone(&gate) }),
            partials: Box::new(Gated { name: "partial", gate: Arc::clone(&gate) }),
        })
        .collect();
    (SpeechPool::start(ears).expect("threads start"), open)
}

fn submit(
    pool: &SpeechPool,
    urgency: Urgency,
    samples: usize,
    done: &mpsc::Sender<String>,
) -> JobId {
    let done = done.clone();
    pool.submit(
        Order::new(urgency, vec![0.0; samples]),
        Box::new(move |outcome| {
            let text = match outcome {
                Outcome::Heard(heard) => heard.text(),
                Outcome::Dropped => "dropped".into(),
                Outcome::Failed(error) => error.to_string(),
            };
            let _ = done.send(text);
        }),
    )
}

#[test]
fn finals_overtake_and_cancelled_jobs_answer() {
    let (pool, open) = pool(1);
    let (done, results) = mpsc::channel();
    let next = || results.recv_timeout(Duration::from_secs(5)).expect("an answer");
    submit(&pool, Urgency::Partial, 1, &done);
    std::thread::sleep(Duration::from_millis(50)); // the worker is at it now
    submit(&pool, Urgency::Partial, 2, &done);
    let early = submit(&pool, Urgency::Early, 3, &done);
    let dropped = submit(&pool, Urgency::Early, 4, &done);
    submit(&pool, Urgency::Final, 5, &done);
    pool.cancel(dropped);
    assert_eq!(next(), "dropped");
    pool.promote(early);
    for _ in 0..4 {
        open.send(()).expect("the gate stands");
    }
    // What is promoted counts as asked for now: until then nobody waited for it.
    let order = [next(), next(), next(), next()];
    assert_eq!(order, ["partial1", "final5", "final3", "partial2"]);
}

#[test]
fn the_latest_audio_of_a_waiting_partial_wins() {
    let (pool, open) = pool(1);
    let (done, results) = mpsc::channel();
    let running = submit(&pool, Urgency::Partial, 1, &done);
    std::thread::sleep(Duration::from_millis(50));
    let waiting = submit(&pool, Urgency::Partial, 2, &done);
    pool.renew(running, vec![0.0; 10]);
    pool.renew(waiting, vec![0.0; 20]);
    open.send(()).and_then(|()| open.send(())).expect("the gate stands");
    let next = || results.recv_timeout(Duration::from_secs(5)).expect("an answer");
    assert_eq!([next(), next()], ["partial1", "partial20"], "what has begun goes on");
}

#[test]
fn partials_leave_a_worker_free() {
    let (pool, open) = pool(2);
    let (done, results) = mpsc::channel();
    submit(&pool, Urgency::Partial, 1, &done);
    submit(&pool, Urgency::Partial, 2, &done);
    std::thread::sleep(Duration::from_millis(50));
    submit(&pool, Urgency::Final, 3, &done);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(pool.shared.lock().jobs.len(), 1, "one partial waits, the final runs");
    for _ in 0..3 {
        open.send(()).expect("the gate stands");
    }
    for _ in 0..3 {
        results.recv_timeout(Duration::from_secs(5)).expect("an answer");
    }
}

#[test]
fn long_early_decodings_wait_for_others_and_not_for_ever() {
    let (pool, open) = pool(1);
    let (done, results) = mpsc::channel();
    submit(&pool, Urgency::Final, 1, &done);
    std::thread::sleep(Duration::from_millis(50));
    submit(&pool, Urgency::Early, 6 * SAMPLE_RATE_HZ as usize + 1, &done);
    submit(&pool, Urgency::Early, 6 * SAMPLE_RATE_HZ as usize + 2, &done);
    submit(&pool, Urgency::Early, 2, &done);
    for _ in 0..4 {
        open.send(()).expect("the gate stands");
    }
    let next = || results.recv_timeout(Duration::from_secs(5)).expect("an answer");
    assert_eq!([next(), next()], ["final1", "final2"]);
    assert_eq!([next(), next()], ["final96001", "final96002"]);
}

struct Panics;

impl Transcriber for Panics {
    fn transcribe(&mut self, samples: &[f32], _hints: &Hints) -> Result<Heard, ModelError> {
        assert!(samples.len() > 1, "a test's panic");
        Ok(Heard::default())
    }
}

#[test]
fn a_panic_costs_one_decoding() {
    let ears = Ears { finals: Box::new(Panics), partials: Box::new(Panics) };
    let pool = SpeechPool::start(vec![ears]).expect("threads start");
    let (done, results) = mpsc::channel();
    submit(&pool, Urgency::Partial, 1, &done);
    submit(&pool, Urgency::Partial, 2, &done);
    submit(&pool, Urgency::Final, 2, &done);
    let mut answers: Vec<String> =
        (0..3).map(|_| results.recv_timeout(Duration::from_secs(5)).expect("an answer")).collect();
    answers.sort();
    assert_eq!(answers, ["", "", "the recogniser panicked"]);
}

#[test]
fn stopping_answers_what_waits() {
    let (pool, open) = pool(1);
    let (done, results) = mpsc::channel();
    submit(&pool, Urgency::Final, 1, &done);
    std::thread::sleep(Duration::from_millis(50));
    submit(&pool, Urgency::Partial, 2, &done);
    let next = || results.recv_timeout(Duration::from_secs(5)).expect("an answer");
    std::thread::scope(|scope| {
        scope.spawn(|| pool.stop());
        assert_eq!(next(), "dropped");
        // Opened only now: otherwise the worker might be done and at the second before the stop.
        open.send(()).expect("the gate stands");
    });
    assert_eq!(next(), "final1");
}

/// Hears nothing in less than a second.
struct Short(&'static str);

impl Transcriber for Short {
    fn transcribe(&mut self, samples: &[f32], _hints: &Hints) -> Result<Heard, ModelError> {
        let words = match samples.len() < 16_000 {
            true => Vec::new(),
            false => {
                let text = self.0.to_owned();
                vec![crate::models::HeardWord { text, start_ms: 0, end_ms: 1, confidence: 1.0 }]
            }
        };
        Ok(Heard { words, tokens: 1, ..Heard::default() })
    }
}

#[test]
fn under_load_the_larger_model_hears_what_the_smaller_one_misses() {
    let (opener, gate) = mpsc::channel();
    let finals = Gated { name: "large", gate: Arc::new(Mutex::new(gate)) };
    let ears = Ears { finals: Box::new(finals), partials: Box::new(Short("small")) };
    let pool = SpeechPool::start(vec![ears]).expect("threads start");
    let (done, results) = mpsc::channel();
    let next = || results.recv_timeout(Duration::from_secs(5)).expect("an answer");
    opener.send(()).expect("the gate stands");
    pool.set_level(LoadLevel::SmallFinals);
    submit(&pool, Urgency::Final, 16_000, &done);
    assert_eq!(next(), "small");
    submit(&pool, Urgency::Final, 8_000, &done);
    assert_eq!(next(), "large8000");
}
