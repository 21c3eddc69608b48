//! `backchannel eval gaps QUESTIONS`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::knowledge::ModelArgs;
use crate::evaluate::gaps::LabelledQuestions;

#[derive(Debug, Args)]
pub struct GapsArgs {
    /// JSON lines with text (or utterance) and intent
    dataset: PathBuf,
    /// So many questions, chosen by a hash of their text
    #[arg(long, default_value_t = 3_000)]
    limit: usize,
    /// From which mean cosine on a question joins a group, instead of the product's
    #[arg(long)]
    nearness: Option<f32>,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints how questions come together; the last line is JSON.
///
/// # Errors
/// When the questions or the model can't be used.
pub fn run(args: &GapsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let labelled = LabelledQuestions::open(&args.dataset, args.limit)?;
    let embedder = args.model.embedder()?;
    let systems = labelled.measure(&embedder, args.nearness)?;
    if !args.json {
        writeln!(out, "by       precision  recall  F1     F0.5   groups  singles  µs")?;
        for (name, m) in &systems {
            writeln!(
                out,
                "{name:<8} {:.3}      {:.3}   {:.3}  {:.3}  {:>6}  {:>7}  {:.1}",
                m.precision, m.recall, m.f1, m.f_half, m.groups, m.singles, m.microseconds
            )?;
        }
    }
    let line = serde_json::json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": labelled.sha256,
        "models": {"embedder": "all-minilm-l6-v2", "embedder_sha256": embedder.fingerprint()},
        "version": env!("CARGO_PKG_VERSION"),
        "systems": systems,
    });
    writeln!(out, "{line}")?;
    Ok(())
}
