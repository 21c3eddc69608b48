//! Inputs and outputs of all kinds.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{conversation, ids, lines, p, summarize, told, write_conversations};

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("the output")
}

#[test]
fn the_same_input_gives_the_same_bytes_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("in.jsonl");
    write_conversations(&input, 0..200);
    for format in ["jsonl", "vcon", "parquet"] {
        let out = |name: &str| folder.path().join(format!("{name}.{format}"));
        let format = format!("--format={format}");
        for (name, concurrency) in [("a", "--concurrency=1"), ("b", "--concurrency=5")] {
            let done = summarize(&[&input, p("-o"), &out(name), p(&format), p(concurrency)]);
            assert!(done.status.success(), "{}", told(&done));
        }
        assert!(bytes(&out("a")) == bytes(&out("b")), "{format}");
    }
    let first = &lines(&folder.path().join("a.jsonl"))[0];
    assert!(first["summary"].as_str().expect("a summary").contains("10 pounds"), "{first}");
    let kinds: Vec<&str> = first["wrapups"]
        .as_array()
        .expect("wrap-ups")
        .iter()
        .filter_map(|one| one["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["wrapup.summary", "wrapup.followup"]);
    let by = &lines(&folder.path().join("a.jsonl.provenance.jsonl"))[0];
    assert_eq!(
        (by["line"].as_u64(), by["authors"][0]["provider"].as_str()),
        (Some(1), Some("extractive"))
    );
    assert!(by["input_sha256"].as_str().is_some_and(|hash| hash.len() == 64), "{by}");

    // What we wrote can be read again.
    let vcons = folder.path().join("a.vcon");
    let renamed = folder.path().join("vcons.jsonl");
    std::fs::copy(&vcons, &renamed).expect("copied");
    let schema: Value = serde_json::from_str(include_str!("../vcon.schema.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let container = &lines(&renamed)[0];
    let faults: Vec<String> =
        validator.iter_errors(container).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let again = folder.path().join("again.jsonl");
    let done = summarize(&[&renamed, p("-o"), &again]);
    assert!(done.status.success(), "{}", told(&done));
    let summaries = |path: &Path| -> Vec<Value> {
        lines(path).iter().map(|line| line["summary"].clone()).collect()
    };
    assert_eq!(summaries(&again), summaries(&folder.path().join("a.jsonl")));
}

#[test]
fn a_folder_of_files_of_all_kinds_is_read_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    let path = |name: &str| -> PathBuf { archive.join(name) };
    std::fs::create_dir_all(path("sub")).expect("a folder");
    std::fs::write(path("a.json"), conversation(3).to_string()).expect("written");
    std::fs::write(
        path("b.txt"),
        "Customer: My router stopped working yesterday evening.\nAgent: I will send you a new one.\n",
    )
    .expect("written");
    write_conversations(&path("c.jsonl"), 10..12);
    std::fs::write(path("notes.pdf"), "passed over").expect("written");
    let vcon = json!({
        "vcon": "0.4.0", "uuid": "018f-1", "created_at": "2026-01-01T00:00:00Z",
        "parties": [{"meta": {"role": "customer"}}, {"role": "agent"}],
        "dialog": [
            {"type": "text", "start": "2026-01-01T00:00:10Z", "parties": [1], "body": "I will refund it tomorrow."},
            {"type": "text", "start": "2026-01-01T00:00:00Z", "parties": 0, "body": "I was charged twice for my order, card 4539 1488 0343 6467."},
            {"type": "recording", "start": "2026-01-01T00:00:00Z"},
        ],
    });
    std::fs::write(path("sub/d.vcon"), vcon.to_string()).expect("written");
    let odd = std::ffi::OsStr::from_bytes(b"\xffz.txt");
    std::fs::copy(path("b.txt"), archive.join(odd)).expect("a name that is no UTF-8");
    // Its own files are no part of the input.
    let output = path("out.jsonl");
    for _ in 0..2 {
        let done = summarize(&[&archive, p("-o"), &output]);
        assert!(done.status.success(), "{}", told(&done));
    }
    assert_eq!(ids(&output), ["ü-00003", "b.txt", "ü-00010", "ü-00011", "018f-1", "\u{fffd}z.txt"]);
    let text = String::from_utf8(bytes(&output)).expect("UTF-8");
    assert!(text.contains("charged twice") && !text.contains("4539"), "{text}");
}

#[test]
fn a_recording_is_transcribed_and_summarised() {
    let folder = tempfile::tempdir().expect("a folder");
    let call = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let output = folder.path().join("out.jsonl");
    let done = summarize(&[&call, p("-o"), &output]);
    assert!(done.status.success(), "{}", told(&done));
    let line = &lines(&output)[0];
    assert_eq!(line["id"], "billing-double-charge.wav");
    assert!(line["summary"].as_str().is_some_and(|summary| summary.contains("twice")), "{line}");
}

/// Two rows whose turns are a list of structs, as data frames are written.
fn write_parquet(path: &Path) {
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::writer::SerializedFileWriter;
    const SCHEMA: &str = "message conversation {
        required binary conversation_id (STRING);
        optional group turns (LIST) { repeated group list { required group element {
            required binary role (STRING);
            required binary text (STRING);
        } } }
    }";
    let schema = parquet::schema::parser::parse_message_type(SCHEMA).expect("a schema");
    let file = std::fs::File::create(path).expect("a file");
    let mut writer =
        SerializedFileWriter::new(file, schema.into(), Default::default()).expect("a writer");
    type Sides<'a> = (&'a [i16], &'a [i16]);
    let columns: [(&[&str], Option<Sides<'_>>); 3] = [
        (&["p-1", "ß-2"], None),
        (&["customer", "agent", "caller", "rep"], Some((&[2; 4], &[0, 1, 0, 1]))),
        (
            &[
                "My parcel never arrived last week, card 4539148803436467.",
                "I will send a new parcel tomorrow.",
                "The lamp that I ordered is broken.",
                "I have refunded the lamp today.",
            ],
            Some((&[2; 4], &[0, 1, 0, 1])),
        ),
    ];
    let mut group = writer.next_row_group().expect("a group");
    for (texts, levels) in columns {
        let values: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
        let mut column = group.next_column().expect("a column").expect("one more");
        let (definitions, repetitions) = levels.unzip();
        column
            .typed::<ByteArrayType>()
            .write_batch(&values, definitions, repetitions)
            .expect("written");
        column.close().expect("closed");
    }
    group.close().expect("closed");
    writer.close().expect("closed");
}

#[test]
fn parquet_is_read_and_written() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (folder.path().join("in.parquet"), folder.path().join("out.parquet"));
    write_parquet(&input);
    let done = summarize(&[&input, p("-o"), &output, p("--format=parquet")]);
    assert!(done.status.success(), "{}", told(&done));
    let file = std::fs::File::open(&output).expect("the output");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let rows: Vec<_> =
        reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
    let text = |row: usize, column: usize| rows[row].get_string(column).expect("text").clone();
    assert_eq!((rows.len(), text(0, 0), text(1, 0)), (2, "p-1".to_owned(), "ß-2".to_owned()));
    assert!(
        text(0, 1).contains("My parcel never arrived last week, card [card-1]"),
        "{}",
        text(0, 1)
    );
    assert_eq!(text(1, 2), "en");
    let wrap_ups: Value = serde_json::from_str(&text(1, 4)).expect("JSON");
    assert_eq!(wrap_ups[0]["kind"], "wrapup.summary");
}

/// What of a card may stand in no file.
const CARD_PARTS: &[&str] =
    &["4539148803436467", "4539 1488", "4539-1488", "0343 6467", "0343-6467"];

/// Fails at any file, in whatever folder, in which a card stands.
fn assert_no_card(folder: &Path) {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    let mut files = 0;
    for entry in walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("an entry")) {
        if !entry.file_type().is_file() {
            continue;
        }
        files += 1;
        let path = entry.path();
        let text = if path.extension().is_some_and(|it| it == "parquet") {
            let reader = SerializedFileReader::new(std::fs::File::open(path).expect("a file"));
            let reader = reader.expect("Parquet");
            let rows = reader.get_row_iter(None).expect("rows");
            rows.map(|row| row.expect("a row").to_string()).collect()
        } else {
            String::from_utf8_lossy(&bytes(path)).into_owned()
        };
        for part in CARD_PARTS {
            assert!(!text.contains(part), "{}: {part}", path.display());
        }
    }
    assert!(files > 0);
}

#[test]
fn no_card_stands_in_any_file_at_any_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("input");
    std::fs::create_dir(&input).expect("a folder");
    let card = "4539 1488 0343 6467";
    let said = |text: &str| {
        json!([
            {"role": "customer", "name": format!("Ann {card}"), "text": format!("My router broke yesterday, {text}.")},
            {"role": "agent", "text": "I will send you a new router tomorrow."},
        ])
    };
    let all = [
        json!({"id": card, "turns": said("card 4539-1488-0343-6467")}),
        json!({"id": "b", "turns": said(card), "note": card, "language": card}),
        json!({"id": "c", "turns": said(card), "started_at": card}),
        json!({"id": "d", "turns": said(card), "x": {"y": [card]}}),
        json!({"id": "e", "turns": [{"role": card, "text": card}]}),
        json!({"id": 4539148803436467_u64, "turns": said("it is 4539148803436467")}),
    ];
    let text: String = all.iter().map(|one| format!("{one}\n")).collect();
    std::fs::write(input.join("a.jsonl"), text).expect("written");
    write_parquet(&input.join("b.parquet"));
    let transcript = format!("Customer: My lamp broke, card {card}.\nAgent: I will send a lamp.\n");
    std::fs::write(input.join("c.txt"), transcript).expect("written");

    // Nobody is there to write: all stands still after it was read.
    let settings = folder.path().join("settings.toml");
    let nobody = "[generation]\nchain = [\"lab\"]\n[generation.providers.lab]\n\
        kind = \"openai\"\nurl = \"http://127.0.0.1:9/v1\"\nmodel = \"tiny\"\nretries = 0\n";
    std::fs::write(&settings, nobody).expect("written");
    let work = folder.path().join("waits");
    std::fs::create_dir(&work).expect("a folder");
    let waits = work.join("out.jsonl");
    // All at once, so that the rests between two tries are waited for once and not by each.
    let done =
        summarize(&[&input, p("-o"), &waits, p("--config"), &settings, p("--concurrency=9")]);
    assert_eq!(done.status.code(), Some(75), "{}", told(&done));
    assert!(work.join("out.jsonl.work/plan.json").exists());
    assert_no_card(&work);
    assert!(CARD_PARTS.iter().all(|part| !told(&done).contains(part)), "{}", told(&done));

    for format in ["jsonl", "vcon", "parquet"] {
        let folder = folder.path().join(format);
        std::fs::create_dir(&folder).expect("a folder");
        let output = folder.join(format!("out.{format}"));
        let format = format!("--format={format}");
        let done = summarize(&[&input, p("-o"), &output, p(&format)]);
        assert_eq!(done.status.code(), Some(2), "{}", told(&done));
        assert!(told(&done).contains("3 of 9 conversations"), "{}", told(&done));
        assert!(CARD_PARTS.iter().all(|part| !told(&done).contains(part)), "{}", told(&done));
        assert_no_card(&folder);
    }
}
