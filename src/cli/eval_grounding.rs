//! `backchannel eval grounding DATASET`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::knowledge::ModelArgs;
use crate::evaluate::grounding::{
    Content, Dataset, Dialogue, Half, Item, KindCount, Maker, Prediction, inventions, judge, mix,
    quota,
};

/// So many conversations get a text of the scripted writer.
const MIX_DIALOGUES: usize = 100;

/// Tell altered sentences about conversations from true ones
///
/// DATASET is a folder with *.jsonl, or such a file. Lines with a `sentence`, a `label` (supported or
/// altered) and `turns` are judged as they are. Of lines with conversations only (`turns` with `role`
/// and `text`; `dialogue`; `meeting_transcripts`) true and altered sentences are made by code.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval grounding tests/corpus/grounding\n  \
    backchannel eval grounding dialogues/ --half development --predictions judged.jsonl")]
pub struct GroundingArgs {
    /// Folder with *.jsonl, or one such file
    dataset: PathBuf,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each sentence
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// What sentences are made and in which half a conversation is
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Which half of the conversations; the verifier was tuned on the development half of seed 1
    #[arg(long, value_enum, default_value_t = Half::Test)]
    half: Half,
    /// Let the embedding model speak where words leave a sentence in doubt
    #[arg(long)]
    vectors: bool,
    /// Judge as e-mails, cards and answers are judged: every verb must have been said
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// The data set can't be used, or the predictions can't be written.
pub fn run(args: &GroundingArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let dataset = Dataset::open(&args.dataset)?;
    let mut file = args.predictions.as_deref().map(create).transpose()?;
    let embedder =
        args.vectors.then(|| args.model.embedder()).transpose().map_err(super::unforeseen)?;
    let (predictions, report, mixed, short, half) = match &dataset.content {
        Content::Items(dialogues, items) => {
            let (predictions, report) = judge(dialogues, items, embedder.as_ref(), args.strict)?;
            (predictions, report, None, None, "all")
        }
        Content::Dialogues(dialogues) => {
            let mut maker = Maker::new(dialogues, args.seed);
            let which = maker.half(args.half);
            let items = items(&mut maker, dialogues, &which);
            let (mut predictions, report) =
                judge(dialogues, &items, embedder.as_ref(), args.strict)?;
            let invented: Vec<Item> = which
                .iter()
                .flat_map(|&at| inventions(&dialogues[at], at, quota(&dialogues[at]), args.seed))
                .collect();
            let (judged, short) = judge(dialogues, &invented, embedder.as_ref(), args.strict)?;
            predictions.extend(judged);
            // Small data sets need the other half, too, to fill a hundred.
            let mut texts = which.clone();
            texts.extend(maker.half(Half::All).into_iter().filter(|index| !which.contains(index)));
            texts.truncate(MIX_DIALOGUES);
            let mixed = mix(&mut Maker::new(dialogues, args.seed), dialogues, &texts, args.seed);
            let half = match args.half {
                Half::Development => "development",
                Half::Test => "test",
                Half::All => "all",
            };
            (predictions, report, Some(mixed), Some(short.altered), half)
        }
    };
    if let (Some(file), Some(path)) = (&mut file, &args.predictions) {
        write_all(file, &predictions).map_err(|error| cannot_write(path, &error))?;
    }
    let mut line = json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "models": embedder.as_ref().map_or(json!({}), |model| {
            json!({ "embedder": "all-minilm-l6-v2", "embedder_sha256": model.fingerprint() })
        }),
        "version": env!("CARGO_PKG_VERSION"),
        "seed": args.seed,
        "half": half,
        "strict": args.strict,
        "short_inventions": short,
        "mix": mixed.as_ref().map(|mixed| mixed.to_json()),
    });
    if let (Some(line), Value::Object(metrics)) = (line.as_object_mut(), report.to_json()) {
        line.extend(metrics);
    }
    let mut text = String::new();
    if !args.json {
        text = report.table()
            + &short.map_or_else(String::new, short_line)
            + &mixed.map_or_else(String::new, |mixed| mixed.line());
    }
    writeln!(out, "{text}{line}")
        .map_err(|error| cannot_write(Path::new("standard output"), &error))
}

/// Counted apart, so that the other figures stay comparable with older ones.
fn short_line(count: KindCount) -> String {
    let percent = count.share() * 100.0;
    format!("short inventions: {} of {} caught, {percent:.1}%\n", count.right, count.of)
}

fn items(maker: &mut Maker, dialogues: &[Dialogue], which: &[usize]) -> Vec<Item> {
    which
        .iter()
        .flat_map(|&index| maker.items(index, quota(&dialogues[index]), quota(&dialogues[index])))
        .collect()
}

fn create(path: &Path) -> Result<BufWriter<std::fs::File>, Failure> {
    let file = std::fs::File::create(path).map_err(|error| cannot_write(path, &error))?;
    Ok(BufWriter::new(file))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::invalid(format!("{}: can't be written: {error}", path.display()))
}

fn write_all(
    file: &mut BufWriter<std::fs::File>,
    predictions: &[Prediction],
) -> std::io::Result<()> {
    for prediction in predictions {
        serde_json::to_writer(&mut *file, prediction)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}
