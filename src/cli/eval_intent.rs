//! `backchannel eval intent DATASET`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::knowledge::ModelArgs;
use crate::evaluate::intent::{
    Dataset, Figures, Plan, Run, VectorsOf, confusion, figures, mean, measure,
};
use crate::models::embedder::{EmbedderHandle, Urgency};

/// Turns whose vectors are timed.
const TIMED: usize = 100;

/// Tell intents apart, and leave alone what is none of them
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval intent intents --confusion confusion.json\n  \
    backchannel eval intent banking77 --per-class 10 --seed 1,2,3\n\n\
    Rows whose split has \"train\" in it are trained on, the others asked about; rows without a split \
    are asked about five shares in turn, each by a model that is trained on the other four.")]
pub struct IntentArgs {
    /// Folder with intents.jsonl, with other files of JSON lines (text or utterance, intent, perhaps
    /// split), or with a company's own intents in TOML; or one such file of JSON lines
    dataset: PathBuf,
    /// Train on these too
    #[arg(long, value_name = "DATASET")]
    train: Vec<PathBuf>,
    /// Train on so many examples of each intent only
    #[arg(long, value_name = "N")]
    per_class: Option<usize>,
    /// Chooses those examples, and the shares; of several the means are told
    #[arg(long, value_name = "S", value_delimiter = ',', default_value = "1")]
    seed: Vec<u64>,
    /// Shares of rows without a split
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=20))]
    folds: u8,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each row that is asked about
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Write what was named for what was meant, as `route simulate` reads it
    #[arg(long, value_name = "FILE")]
    confusion: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// When the dataset, the model or a file to be written can't be used.
pub fn run(args: &IntentArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = Dataset::open(&args.dataset, &args.train)?;
    let embedder = args.model.embedder()?;
    let vectors = VectorsOf::all(&dataset, &embedder)?;
    let mut runs = Vec::new();
    for seed in &args.seed {
        let plan = Plan { per_class: args.per_class, seed: *seed, folds: args.folds.into() };
        runs.push(measure(&dataset, &vectors, plan)?);
    }
    let each: Vec<Figures> = runs.iter().map(figures).collect();
    let embedding_ms = embedding_ms(&runs, &embedder)?;
    if let Some(path) = &args.predictions {
        write_predictions(path, &args.seed, &runs)?;
    }
    if let Some(path) = &args.confusion {
        let matrix = confusion(runs.iter().flat_map(|run| &run.asked));
        let text = serde_json::to_string(&matrix)?;
        std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))?;
    }
    let whole = mean(&each);
    if !args.json {
        writeln!(
            out,
            "seed  rows   trained on  accuracy  top 3   in scope  out of scope  ECE     training s"
        )?;
        for (seed, figures) in args.seed.iter().zip(&each) {
            write_row(out, &seed.to_string(), figures)?;
        }
        if each.len() > 1 {
            write_row(out, "mean", &whole)?;
        }
    }
    let mut line = json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "models": {"embedder": "all-minilm-l6-v2", "embedder_sha256": embedder.fingerprint()},
        "version": env!("CARGO_PKG_VERSION"),
        "per_class": args.per_class,
        "seeds": args.seed,
        "embedding_us": embedding_ms * 1e3,
        "turn_in_embeddings": 1.0 + whole.predict_us / (embedding_ms * 1e3).max(1e-9),
        "runs": each,
    });
    if let (Some(line), serde_json::Value::Object(metrics)) = (line.as_object_mut(), json!(whole)) {
        line.extend(metrics);
    }
    writeln!(out, "{line}")?;
    Ok(())
}

/// The median time of one turn's vector, one at a time.
fn embedding_ms(runs: &[Run<'_>], embedder: &EmbedderHandle) -> anyhow::Result<f64> {
    let asked = runs.iter().flat_map(|run| &run.asked);
    let mut times = Vec::new();
    for asked in asked.take(TIMED) {
        let text = vec![asked.row.example.text.clone()];
        let begun = Instant::now();
        embedder.embed_blocking(text, Urgency::Live, Duration::from_secs(60))?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

fn write_row(out: &mut dyn Write, name: &str, figures: &Figures) -> anyhow::Result<()> {
    let outside = figures.oos_recall.map_or_else(|| "-".into(), |recall| format!("{recall:.3}"));
    writeln!(
        out,
        "{name:<4}  {:>5}  {:>10}  {:.3}     {:.3}   {:.3}     {outside:<12}  {:.4}  {:.1}",
        figures.in_scope + figures.out_of_scope,
        figures.train_rows,
        figures.accuracy,
        figures.top3_accuracy,
        figures.in_scope_accuracy,
        figures.ece,
        figures.train_seconds,
    )?;
    Ok(())
}

fn write_predictions(path: &Path, seeds: &[u64], runs: &[Run<'_>]) -> anyhow::Result<()> {
    let file =
        std::fs::File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    let mut file = BufWriter::new(file);
    for (seed, run) in seeds.iter().zip(runs) {
        for asked in &run.asked {
            let ranked =
                asked.seen.ranked.iter().map(
                    |intent| json!({"intent": intent.label, "probability": intent.probability}),
                );
            let line = json!({
                "seed": seed,
                "text": asked.row.example.text,
                "intent": asked.row.example.label,
                "ranked": ranked.collect::<Vec<_>>(),
                "abstained": asked.seen.abstained,
            });
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
        }
    }
    file.flush()?;
    Ok(())
}
