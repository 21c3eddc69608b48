use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Format;
use crate::batch::Transcript;
use crate::connect::vcon::{self, vcon};
use crate::domain::{EventBody, Turn};
use crate::store::codec;

/// A transcript in the form that was asked for.
#[derive(Debug)]
pub(super) struct Written {
    pub text: String,
    /// What the reader should know, one sentence each.
    pub warnings: Vec<String>,
}

pub(super) fn write(
    format: Format,
    path: &Path,
    transcript: &Transcript,
    started: Option<Timestamp>,
    mut warnings: Vec<String>,
) -> Written {
    for gap in &transcript.gaps {
        warnings.push(format!("{} ms from {} on: {}", gap.lost_ms, clock(gap.start_ms), gap.why));
    }
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let text = match format {
        Format::Text => lines(&name, transcript),
        Format::Jsonl => transcript.turns.iter().map(|turn| json_line(&name, turn)).collect(),
        Format::Vcon => {
            let container = vcon(&vcon::Conversation {
                identity: vcon::Identity::Fresh,
                subject: Some(&name),
                started: started.unwrap_or(Timestamp::UNIX_EPOCH),
                parties: &transcript.parties,
                turns: &transcript.turns,
            });
            format!("{container}\n")
        }
    };
    Written { text, warnings }
}

fn lines(name: &str, transcript: &Transcript) -> String {
    let mut text = format!("{name} ({})\n", clock(transcript.duration_ms));
    for turn in &transcript.turns {
        let (at, role) = (clock(turn.start_ms), turn.party.role.as_str());
        let said = turn.text.as_str();
        // Writing to a string can't fail.
        let _ = writeln!(text, "{at}  {role:<8}  {said}");
    }
    text.push('\n');
    text
}

/// The turn as `turn.final` has it, and its file.
fn json_line(name: &str, turn: &Turn) -> String {
    let encoded = codec::encode(&EventBody::TurnFinal(turn.clone()));
    let mut line = json!({ "file": name });
    if let (Some(line), Ok(Value::Object(data))) =
        (line.as_object_mut(), serde_json::from_str(&encoded.data))
    {
        line.extend(data);
    }
    format!("{line}\n")
}

fn clock(ms: u64) -> String {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let seconds = (ms % 60_000) as f64 / 1_000.0;
    match hours {
        0 => format!("{minutes:02}:{seconds:04.1}"),
        _ => format!("{hours}:{minutes:02}:{seconds:04.1}"),
    }
}
