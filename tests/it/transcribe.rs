//! `backchannel transcribe` as a person runs it, with the real models. ffmpeg makes the recordings
//! in other formats.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn call() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav")
}

fn transcribe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_backchannel"))
        .arg("transcribe")
        .args(arguments)
        .output()
        .expect("it runs")
}

fn printed(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (text(&output.stdout), text(&output.stderr))
}

/// The first `seconds` of the demo call as ffmpeg writes them with these options.
fn made(folder: &Path, name: &str, seconds: &str, options: &[&str]) -> String {
    let target = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-t", seconds, "-i"])
        .arg(call())
        .args(options)
        .arg(&target)
        .status()
        .expect("ffmpeg runs: .ci/need ffmpeg installs it");
    assert!(made.success(), "{name}");
    target.to_str().expect("a path").to_owned()
}

#[test]
fn recordings_of_all_formats_are_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let formats = [
        ("a.flac", &["-c:a", "flac"][..]),
        ("b.mp3", &["-c:a", "libmp3lame", "-ar", "16000"]),
        ("c.m4a", &["-c:a", "aac", "-ar", "44100"]),
        ("d.ogg", &["-c:a", "libopus", "-ar", "48000"]),
        ("e.wav", &["-c:a", "pcm_alaw"]),
    ];
    let files: Vec<String> =
        formats.iter().map(|(name, options)| made(folder.path(), name, "14", options)).collect();
    let mut arguments = vec!["--format", "jsonl"];
    arguments.extend(files.iter().map(String::as_str));
    let output = transcribe(&arguments);
    let (out, err) = printed(&output);
    assert!(output.status.success(), "{err}");
    assert!(!err.contains("warning"), "{err}");
    let turns: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    let mut order: Vec<&str> = turns.iter().filter_map(|turn| turn["file"].as_str()).collect();
    order.dedup();
    assert_eq!(order, ["a.flac", "b.mp3", "c.m4a", "d.ogg", "e.wav"]);
    for (name, _) in formats {
        let said = |role: &str| {
            let of = |turn: &&Value| turn["file"] == name && turn["party"]["role"] == role;
            let texts: Vec<&str> =
                turns.iter().filter(of).filter_map(|turn| turn["text"].as_str()).collect();
            texts.join(" ").to_lowercase()
        };
        assert!(said("agent").contains("how can i help"), "{name}: {}", said("agent"));
        assert!(said("customer").contains("charged me twice this month"), "{name}");
        assert!(!said("customer").contains("how can i help"), "{name}: channels are mixed up");
    }
}

#[test]
fn a_whole_call_becomes_a_vcon_without_its_card_number() {
    let call = call();
    let output = transcribe(&[
        "--format",
        "vcon",
        "--started",
        "2026-11-22T10:00:00Z",
        call.to_str().expect("a path"),
    ]);
    let (out, err) = printed(&output);
    assert!(output.status.success(), "{err}");
    let container: Value = serde_json::from_str(&out).expect("one JSON object");
    let schema: Value =
        serde_json::from_str(include_str!("vcon.schema.json")).expect("a JSON schema");
    let validator =
        jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    let faults: Vec<String> =
        validator.iter_errors(&container).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");

    let dialog = container["dialog"].as_array().expect("turns");
    assert!(dialog.len() >= 15, "{} turns", dialog.len());
    let starts: Vec<&str> = dialog.iter().filter_map(|turn| turn["start"].as_str()).collect();
    assert!(starts.is_sorted() && starts[0].starts_with("2026-11-22T10:00:0"), "{starts:?}");
    let words: Value = serde_json::from_str(
        container["analysis"][0]["body"].as_str().expect("the recogniser's words"),
    )
    .expect("JSON");
    assert_eq!(words.as_array().map(Vec::len), Some(dialog.len()));
    let digits: String = out.chars().filter(char::is_ascii_digit).collect();
    assert!(!digits.contains("4539148803436467") && out.contains("[card-1]"));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    std::fs::write(path("letter.mp3"), "Dear editor, ".repeat(200)).expect("written");
    let mono = made(folder.path(), "mono.wav", "14", &["-ac", "1"]);
    let out = path("out");
    let output = transcribe(&["-o", &out, &path("letter.mp3"), &mono, &path("none.wav")]);
    let (_, err) = printed(&output);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("letter.mp3: is no audio file: use WAV, FLAC, MP3"), "{err}");
    assert!(err.contains("none.wav: can't be read"), "{err}");
    let text = std::fs::read_to_string(path("out/mono.txt")).expect("the transcript");
    assert!(text.starts_with("mono.wav (00:14.0)\n") && text.contains("  mixed     "), "{text}");
    assert!(!Path::new(&path("out/letter.txt")).exists());

    let named_text = path("call.txt");
    std::fs::copy(&mono, &named_text).expect("copied");
    let same = folder.path().to_str().expect("a path");
    for (arguments, expected) in [
        (vec!["-o", same, &named_text], "call.txt would be overwritten"),
        (vec!["--workers", "100000", &mono], "workers must be at most"),
        (vec!["--channels", "customer,agent", &mono], "--channels names 2 but the recording has 1"),
        (vec!["-o", &out, &mono, &mono], "would be written to the same file"),
        (vec!["--model", "whisper-huge", &mono], "whisper-huge"),
        (vec!["--started", "tea time", &mono], "--started"),
    ] {
        let output = transcribe(&arguments);
        let (_, err) = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(expected), "{err}");
    }
    assert_eq!(std::fs::read(&named_text).ok(), std::fs::read(&mono).ok(), "nothing is written");
}

#[test]
fn a_muted_copy_is_silent_where_the_transcript_is_masked_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    // In sixteen bits, as the copy is.
    let call = made(folder.path(), "call.wav", "600", &["-c:a", "pcm_s16le"]);
    let muted = folder.path().join("muted");
    let output =
        transcribe(&["--format", "jsonl", "--muted", muted.to_str().expect("a path"), &call]);
    let (out, err) = printed(&output);
    assert!(output.status.success(), "{err}");
    let mut secrets = Vec::new();
    for line in out.lines() {
        let turn: Value = serde_json::from_str(line).expect("JSON");
        for word in turn["words"].as_array().expect("words") {
            // Of any kind: an account number counts as much as a card's.
            if word["text"].as_str().expect("text").starts_with('[') {
                let time = |name: &str| word[name].as_u64().expect("milliseconds");
                secrets.push(time("start_ms")..time("end_ms"));
            }
        }
    }
    assert!(out.contains("[card-1]") && !secrets.is_empty(), "the call has a card number: {out}");
    let samples = |path: &Path| -> Vec<i16> {
        let mut reader = hound::WavReader::open(path).expect("a WAV file");
        reader.samples::<i16>().map(|sample| sample.expect("a sample")).collect()
    };
    let reader = hound::WavReader::open(&call).expect("a WAV file");
    let (rate_hz, channels) =
        (reader.spec().sample_rate as usize, usize::from(reader.spec().channels));
    let (before, after) = (samples(Path::new(&call)), samples(&muted.join("call.wav")));
    assert_eq!(before.len(), after.len());
    let at_ms = |sample: usize| (sample / channels * 1_000 / rate_hz) as u64;
    let mut silenced = 0;
    for (at, (before, after)) in before.iter().zip(&after).enumerate() {
        let is_in = |margin: u64| {
            secrets.iter().any(|time| {
                (time.start.saturating_sub(margin)..time.end + margin).contains(&at_ms(at))
            })
        };
        if is_in(0) {
            assert_eq!(*after, 0, "at {} ms", at_ms(at));
            silenced += usize::from(*before != 0);
        } else if !is_in(1_000) {
            // Sixteen bits to floats and back.
            assert!(before.abs_diff(*after) <= 1, "at {} ms: {before} and {after}", at_ms(at));
        }
    }
    assert!(silenced > rate_hz, "somebody spoke there: {silenced}");
}
