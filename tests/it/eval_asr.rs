//! `backchannel eval asr` as a person runs it, with the real models, on pieces of a demo call.

use std::path::Path;
use std::process::{Command, Output};

use backchannel::flow::audio::AudioFile;
use serde_json::{Value, json};

fn eval(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_backchannel"))
        .args(["eval", "asr"])
        .args(arguments)
        .output()
        .expect("it runs")
}

fn printed(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (text(&output.stdout), text(&output.stderr))
}

fn write_wav(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a file");
    for sample in samples {
        wav.write_sample((sample * 32_767.0) as i16).expect("it writes");
    }
    wav.finalize().expect("it ends");
}

/// The first turns of a demo call as recordings of their own, and one of silence.
fn dataset(folder: &Path) {
    let calls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let call = AudioFile::open(&calls.join("billing-double-charge.wav")).expect("a recording");
    let text = std::fs::read_to_string(calls.join("billing-double-charge.json")).expect("words");
    let reference: Value = serde_json::from_str(&text).expect("JSON");
    let rate = call.sample_rate_hz as usize;
    assert_eq!(rate, 8_000);
    let mut manifest = String::new();
    for (number, turn) in reference["turns"].as_array().expect("turns").iter().take(3).enumerate() {
        let at = |name: &str| turn[name].as_u64().expect("a time") as usize * rate / 1_000;
        let channel = usize::from(turn["speaker"] == "agent");
        let file = format!("{number}.wav");
        let samples = &call.channels[channel][at("start_ms")..at("end_ms") + rate / 5];
        write_wav(&folder.join(&file), samples);
        let row = json!({"id": format!("turn-{number}"), "file": file, "text": turn["text"]});
        manifest.push_str(&format!("{row}\n"));
    }
    write_wav(&folder.join("silence.wav"), &vec![0.0; 2 * rate]);
    manifest.push_str("{\"id\": \"silence\", \"file\": \"silence.wav\", \"text\": \"\"}\n");
    std::fs::write(folder.join("manifest.jsonl"), manifest).expect("it writes");
}

#[test]
fn a_data_set_gets_its_figures_and_a_line_for_each_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    dataset(folder.path());
    let path = folder.path().to_str().expect("a path");
    let predictions = folder.path().join("heard.jsonl");
    let output = eval(&[path, "--predictions", predictions.to_str().expect("a path")]);
    let (out, err) = printed(&output);
    assert!(output.status.success(), "{err}");
    assert!(err.contains("s of audio in"), "progress: {err}");
    let line: Value =
        serde_json::from_str(out.lines().last().expect("a line")).expect("the last line is JSON");
    let number = |name: &str| line[name].as_f64().unwrap_or_else(|| panic!("{name} of {line}"));
    assert_eq!(line["dataset"], path);
    assert_eq!(line["data_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(line["models"]["finals"], "whisper-base");
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((number("items"), number("invented_words")), (4.0, 0.0));
    assert!(number("wer") <= 0.15, "{line}");
    assert!((4.0..60.0).contains(&number("audio_seconds")), "{line}");
    assert!(number("latency_p95_seconds") >= number("latency_p50_seconds"));
    if cfg!(target_os = "linux") {
        assert!(number("cpu_seconds") > 0.2, "base takes longer: {line}");
    }
    let rows: Vec<Value> = std::fs::read_to_string(&predictions)
        .expect("it was written")
        .lines()
        .map(|row| serde_json::from_str(row).expect("JSON"))
        .collect();
    let sum = |name: &str| rows.iter().filter_map(|row| row[name].as_f64()).sum::<f64>();
    assert_eq!(sum("errors") / sum("words"), number("errors") / number("words"));
    assert_eq!(rows[0]["id"], "turn-0");
    assert_eq!(rows[3]["hypothesis"], "");
    let first = rows[0]["hypothesis"].as_str().expect("a text").to_lowercase();
    assert!(first.contains("larkfield") || first.contains("thank"), "{first}");
}

#[test]
fn a_data_set_is_never_written_over_and_arguments_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    dataset(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let before = std::fs::read(path("manifest.jsonl")).expect("it is there");
    for (arguments, expected) in [
        (["--predictions", &path("manifest.jsonl")], "is a file of the data set"),
        (["--predictions", &path("./0.wav")], "is a file of the data set"),
        (["--language", "klingon"], "--language must be auto or a code such as en, not klingon"),
        (["--workers", "100000"], "workers must be at most"),
    ] {
        let output = eval(&[&path(""), arguments[0], arguments[1]]);
        let (_, err) = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(expected), "{err}");
    }
    assert_eq!(std::fs::read(path("manifest.jsonl")).ok(), Some(before));
}

#[test]
fn what_is_wrong_with_a_data_set_is_said_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    write_wav(&folder.path().join("a.wav"), &[0.0; 800]);
    std::fs::write(folder.path().join("noise.wav"), "no audio at all").expect("it writes");
    let good = r#"{"id": "a", "file": "a.wav", "text": "a"}"#;
    for (second, expected) in [
        (Some(r#"{"id": "b", "file": "b.wav"}"#), "manifest.jsonl:2: field \"text\": is missing"),
        (
            Some(r#"{"id": "b", "file": 7, "text": ""}"#),
            "manifest.jsonl:2: field \"file\": must be a string",
        ),
        (Some(r#"{"id": "b", "#), "manifest.jsonl:2: is no JSON"),
        (Some(good), "manifest.jsonl:2: field \"id\": \"a\" was used before"),
        (Some(r#"{"id": "b", "file": "b.wav", "text": ""}"#), "manifest.jsonl:2: field \"file\": "),
        (Some(r#"{"id": "b", "file": "noise.wav", "text": ""}"#), "noise.wav is no audio file"),
        (None, "can't be read"),
    ] {
        let manifest = folder.path().join("manifest.jsonl");
        match second {
            Some(second) => {
                std::fs::write(&manifest, format!("{good}\n{second}\n")).expect("it writes");
            }
            None => std::fs::remove_file(&manifest).expect("it was there"),
        }
        let output = eval(&[path, "--json"]);
        let (out, err) = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert_eq!(out, "");
        assert!(err.starts_with("error: ") && err.contains(expected), "{expected}: {err}");
    }
}
