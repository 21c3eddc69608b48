//! `backchannel eval spoken-retrieval DATASET`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::knowledge::ModelArgs;
use crate::evaluate::need::{self, Routine};
use crate::evaluate::spoken::{SpokenDataset, fit, is_fitted_on, measure, score};

#[derive(Debug, Args)]
pub struct SpokenArgs {
    /// A folder with knowledge.json and a file …instances.jsonl
    dataset: PathBuf,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write one JSON line per instance
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Fit the weights of detection on one half of the instances and print them
    #[arg(long)]
    fit: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints the metrics; the last line is JSON.
///
/// # Errors
/// When the dataset, the model or the predictions file can't be used.
pub fn run(args: &SpokenArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = SpokenDataset::open(&args.dataset, |source| args.model.settings(source))?;
    let embedder = args.model.embedder()?;
    let fingerprint = embedder.fingerprint().to_owned();
    dataset.library.attach_vectors(embedder.clone(), |_, _| {})?;
    let results = measure(&dataset, &Routine::new(embedder)?)?;
    if args.fit {
        let weights = fit(&results).map(|weight| format!("{weight:.2}")).join(", ");
        writeln!(out, "const WEIGHTS: [f32; INPUTS] = [{weights}];")?;
    }
    if let Some(path) = &args.predictions {
        let file = std::fs::File::create(path)
            .with_context(|| format!("can't write {}", path.display()))?;
        let mut file = std::io::BufWriter::new(file);
        for result in &results {
            let line = serde_json::json!({
                "id": result.id, "asked": result.asked, "target": result.target,
                "probability": result.probability, "inputs": result.inputs, "knowledge": result.right,
                "found": result.found, "rank": result.rank,
            });
            writeln!(file, "{line}")?;
        }
        file.flush()?;
    }
    let all = score(results.iter(), need::THRESHOLD);
    let halves = [true, false].map(|fitted| {
        score(results.iter().filter(move |one| is_fitted_on(one) == fitted), need::THRESHOLD)
    });
    if !args.json {
        writeln!(out, "instances  detection F1  R@1    R@5    MRR@5  after detection: R@1    R@5")?;
        for (name, m) in [("all", &all), ("fitted on", &halves[0]), ("held out", &halves[1])] {
            writeln!(
                out,
                "{name:<10} {:.3}         {:.3}  {:.3}  {:.3}                   {:.3}  {:.3}",
                m.detection_f1,
                m.recall_at_1,
                m.recall_at_5,
                m.mrr_at_5,
                m.detected.recall_at_1,
                m.detected.recall_at_5
            )?;
        }
    }
    let mut line = serde_json::to_value(&all)?;
    line["dataset"] = args.dataset.display().to_string().into();
    line["data_sha256"] = dataset.sha256.clone().into();
    line["models"] =
        serde_json::json!({"embedder": "all-minilm-l6-v2", "embedder_sha256": fingerprint});
    line["version"] = env!("CARGO_PKG_VERSION").into();
    line["held_out"] = serde_json::to_value(&halves[1])?;
    writeln!(out, "{line}")?;
    Ok(())
}
