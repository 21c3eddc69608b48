//! `backchannel eval retrieval DATASET`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::knowledge::ModelArgs;
use crate::evaluate::calibrate::calibrate;
use crate::evaluate::retrieval::{Dataset, measure};

#[derive(Debug, Args)]
pub struct RetrievalArgs {
    /// A knowledge folder with queries.toml, that file, a folder with articles.jsonl and
    /// known_item_queries.jsonl, or one with passages.jsonl and queries.jsonl
    dataset: PathBuf,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write one JSON line per question and system
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Fit the abstention model on one half of the questions and judge it on the other
    #[arg(long)]
    calibrate: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints the metrics; the last line is JSON.
///
/// # Errors
/// When the dataset, the model or the predictions file can't be used.
pub fn run(args: &RetrievalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = Dataset::open(&args.dataset, |source| args.model.settings(source))?;
    let embedder = args.model.embedder()?;
    let fingerprint = embedder.fingerprint().to_owned();
    dataset.library.attach_vectors(embedder, |_, _| {})?;
    if args.calibrate {
        // Without vectors a search is what it is while they are being made.
        let keywords = Dataset::open(&args.dataset, |source| args.model.settings(source))?;
        for (name, library) in [("HYBRID", &dataset.library), ("KEYWORDS", &keywords.library)] {
            let calibration = calibrate(library, &dataset.queries)?;
            let weights = calibration.weights.map(|weight| format!("{weight:.3}")).join(", ");
            writeln!(out, "const {name}: [f32; INPUTS] = [{weights}];")?;
            for mistake in &calibration.mistakes {
                writeln!(out, "  {mistake}")?;
            }
            for report in &calibration.reports {
                writeln!(out, "{}", serde_json::to_string(report)?)?;
            }
        }
        return Ok(());
    }
    let mut file = match &args.predictions {
        Some(path) => {
            let file = std::fs::File::create(path)
                .with_context(|| format!("can't write {}", path.display()))?;
            Some(std::io::BufWriter::new(file))
        }
        None => None,
    };
    let predictions = file.as_mut().map(|file| file as &mut dyn Write);
    let systems = measure(&dataset, predictions)?;
    if let Some(file) = &mut file {
        file.flush()?;
    }
    if !args.json {
        writeln!(out, "system   R@1    R@5    MRR@10 nDCG@10  p50 ms  p95 ms")?;
        for (name, m) in &systems {
            writeln!(
                out,
                "{name:<8} {:.3}  {:.3}  {:.3}  {:.3}  {:>7.1} {:>7.1}",
                m.recall_at_1, m.recall_at_5, m.mrr_at_10, m.ndcg_at_10, m.p50_ms, m.p95_ms
            )?;
        }
    }
    let line = serde_json::json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "questions": dataset.queries.iter().filter(|query| !query.articles.is_empty()).count(),
        "models": {"embedder": "all-minilm-l6-v2", "embedder_sha256": fingerprint},
        "version": env!("CARGO_PKG_VERSION"),
        "systems": systems,
    });
    writeln!(out, "{line}")?;
    Ok(())
}
