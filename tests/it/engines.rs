//! Both engines on the demo calls, turn by turn, with the real models.

use std::path::Path;

use backchannel::evaluate::wer::WordErrors;
use backchannel::flow::audio::AudioFile;
use backchannel::models::{Engine, Heard, Hints, SpeechModel, Transcriber, installed};
use serde_json::Value;

const SAMPLES_PER_MS: usize = 16;

fn engine(engine: Engine, name: &str) -> Box<dyn Transcriber> {
    let installed = installed(name).expect("`make models` pulls it");
    let file = installed.file("model.bin").expect("it has one");
    SpeechModel::load(engine, file).expect("it loads").transcriber().expect("a state")
}

/// The turns of a demo call: samples at 16 kHz and what is said.
fn turns(call: &str) -> Vec<(Vec<f32>, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let file = AudioFile::open(&folder.join(format!("{call}.wav"))).expect("a recording");
    let text = std::fs::read_to_string(folder.join(format!("{call}.json"))).expect("its words");
    let reference: Value = serde_json::from_str(&text).expect("JSON");
    let legs = [0, 1].map(|channel| file.channel_16k(channel).expect("it resamples"));
    let turns = reference["turns"].as_array().expect("turns");
    turns
        .iter()
        .map(|turn| {
            let leg = &legs[usize::from(turn["speaker"] == "agent")];
            let at = |key: &str| turn[key].as_u64().expect("a time") as usize * SAMPLES_PER_MS;
            let samples = leg[at("start_ms")..at("end_ms").min(leg.len())].to_vec();
            (samples, turn["text"].as_str().expect("words").to_owned())
        })
        .collect()
}

fn in_order(heard: &Heard, samples: usize) -> bool {
    let times = heard.words.iter().flat_map(|word| [word.start_ms, word.end_ms]);
    times.is_sorted()
        && heard.words.iter().all(|word| {
            word.end_ms as usize * SAMPLES_PER_MS <= samples
                && (0.0..=1.0).contains(&word.confidence)
        })
}

#[test]
fn the_native_engine_hears_what_whisper_cpp_hears() {
    for (name, allowed) in [("whisper-base", 0.03), ("whisper-tiny.en", 0.05)] {
        let mut native = engine(Engine::Native, name);
        let mut other = engine(Engine::WhisperCpp, name);
        let (mut between, mut errors) = (WordErrors::default(), [WordErrors::default(); 2]);
        for (samples, said) in ["billing-double-charge", "moving-home"].into_iter().flat_map(turns)
        {
            let ours = native.transcribe(&samples, &Hints::default()).expect("it decodes");
            let theirs = other.transcribe(&samples, &Hints::default()).expect("it decodes");
            between += WordErrors::between(&theirs.text(), &ours.text());
            errors[0] += WordErrors::between(&said, &ours.text());
            errors[1] += WordErrors::between(&said, &theirs.text());
            assert!(in_order(&ours, samples.len()), "{name}: {:?}", ours.words);
        }
        println!(
            "{name}: {:.3} of {} words differ, errors {:.3} and {:.3}",
            between.rate(),
            between.words,
            errors[0].rate(),
            errors[1].rate()
        );
        assert!(between.rate() <= allowed, "{name}: {:.3} of the words differ", between.rate());
        assert!(errors[0].rate() <= errors[1].rate() + 0.01, "{name}: more errors");
    }
}

#[test]
fn names_of_the_glossary_are_heard() {
    let mut native = engine(Engine::Native, "whisper-base");
    let (samples, _) = turns("billing-double-charge").swap_remove(0);
    let glossary = Hints { glossary: Some("Larkfield Broadband".into()), ..Hints::default() };
    let text = native.transcribe(&samples, &glossary).expect("it decodes").text();
    assert!(text.contains("Larkfield Broadband"), "{text}");
}

#[test]
fn what_is_not_a_model_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for bytes in [&b"not a model"[..], &b"lmgg\x00\x01"[..], b""] {
        let file = folder.path().join("model.bin");
        std::fs::write(&file, bytes).expect("it writes");
        assert!(SpeechModel::load(Engine::Native, &file).is_err());
    }
}
