//! CPU time of both speech engines on the turns of the demo calls, one thread, in turns, so that a
//! busy machine is busy for both. `benches/peers/engine.py` does the same with CTranslate2.

use std::path::Path;
use std::time::Instant;

use backchannel::flow::audio::AudioFile;
use backchannel::models::{Engine, Hints, SpeechModel, Transcriber, installed};
use serde_json::Value;

const SAMPLES_PER_MS: usize = 16;
const ROUNDS: usize = 3;

/// Turns of two to six seconds, at 16 kHz.
fn turns() -> Vec<Vec<f32>> {
    let mut turns = Vec::new();
    for call in ["billing-double-charge", "moving-home", "outage-cancel-threat"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
        let file = AudioFile::open(&folder.join(format!("{call}.wav"))).expect("a recording");
        let text = std::fs::read_to_string(folder.join(format!("{call}.json"))).expect("its words");
        let reference: Value = serde_json::from_str(&text).expect("JSON");
        for turn in reference["turns"].as_array().expect("turns") {
            let leg = usize::from(turn["speaker"] == "agent");
            let samples = file.channel_16k(leg).expect("it resamples");
            let from = turn["start_ms"].as_u64().expect("a time") as usize;
            let upto = turn["end_ms"].as_u64().expect("a time") as usize;
            if (2_000..=6_000).contains(&(upto - from)) {
                let end = (upto * SAMPLES_PER_MS).min(samples.len());
                turns.push(samples[from * SAMPLES_PER_MS..end].to_vec());
            }
        }
    }
    turns
}

/// The CPU time that this thread has had, where the system says it; else the clock.
fn cpu_s(began: Instant) -> f64 {
    let had = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = had.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| began.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn engine(engine: Engine, name: &str) -> Box<dyn Transcriber> {
    let installed = installed(name).expect("`make models` pulls it");
    let file = installed.file("model.bin").expect("it has one");
    SpeechModel::load(engine, file).expect("it loads").transcriber().expect("a state")
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let began = Instant::now();
    let turns = turns();
    let samples: usize = turns.iter().map(Vec::len).sum();
    let speech_s = samples as f64 / 1_000.0 / SAMPLES_PER_MS as f64;
    println!("{} turns, {speech_s:.1} s, CPU seconds per second of speech", turns.len());
    for name in ["whisper-tiny.en", "whisper-base"] {
        let engines = [Engine::WhisperCpp, Engine::Native];
        let mut ears = engines.map(|kind| engine(kind, name));
        let mut sums_s = [0.0; 2];
        for turn in &turns {
            let mut took_s = [const { Vec::new() }; 2];
            for _ in 0..ROUNDS {
                for (ears, took_s) in ears.iter_mut().zip(&mut took_s) {
                    let before_s = cpu_s(began);
                    ears.transcribe(turn, &Hints::default()).expect("it decodes");
                    took_s.push(cpu_s(began) - before_s);
                }
            }
            for (sum_s, took_s) in sums_s.iter_mut().zip(&mut took_s) {
                *sum_s += median(took_s);
            }
        }
        let [cpp, native] = sums_s.map(|sum_s| sum_s / speech_s);
        println!("{name}: whisper.cpp {cpp:.4}, native {native:.4}, ratio {:.2}", native / cpp);
    }
}
