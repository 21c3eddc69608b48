//! `backchannel eval conflicts DRAFTS`

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::knowledge::ModelArgs;
use crate::evaluate::conflicts::{Dataset, Draft, Fitted, Half, Judged, Report, fit, judge};
use crate::knowledge::{Library, Source};

/// Tell drafts that contradict or repeat the articles from those that add something
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval conflicts tests/corpus/conflicts\n  \
    backchannel eval conflicts tests/corpus/conflicts --half dev --predictions judged.jsonl")]
pub struct ConflictsArgs {
    /// Folder with drafts.jsonl, or such a file: a draft a line, with what it contradicts and repeats
    drafts: PathBuf,
    /// The published articles
    #[arg(long, value_name = "DIR", default_value = "knowledge")]
    knowledge: PathBuf,
    /// Only one half: even numbers were looked at while the detector was built
    #[arg(long, value_enum)]
    half: Option<Half>,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each draft
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Fit the weights to the development half and to the drafts of FILE, and print them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["half", "predictions"])]
    fit: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// The drafts, the articles or the model can't be used, or the predictions can't be written.
pub fn run(args: &ConflictsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = Dataset::open(&args.drafts)?;
    let library = Library::open(&args.model.settings(Source::Folder(args.knowledge.clone())))?;
    let embedder = args.model.embedder()?;
    let fingerprint = embedder.fingerprint().to_owned();
    library.attach_vectors(embedder, |_, _| {})?;
    if let Some(file) = &args.fit {
        let more = Dataset::open(file)?;
        let dev = dataset.drafts.iter().filter(|draft| draft.half() == Half::Dev);
        let judged = judge(dev.chain(&more.drafts), &library)?;
        return print_fit(out, &judged);
    }
    let wanted = |draft: &&Draft| args.half.is_none_or(|half| draft.half() == half);
    let judged = judge(dataset.drafts.iter().filter(wanted), &library)?;
    if let Some(path) = &args.predictions {
        write_all(path, &judged)?;
    }
    let half = |half: Half| {
        let report = Report::of(&judged, Some(half));
        (report.drafts > 0).then(|| report.to_json())
    };
    let all = Report::of(&judged, None);
    if !args.json {
        for (name, count) in
            [("contradictions", all.contradictions), ("duplicates", all.duplicates)]
        {
            writeln!(
                out,
                "{name}: {} of {} found ({:.3}), {} of {} named are right ({:.3})",
                count.found,
                count.planted,
                count.recall(),
                count.right,
                count.named,
                count.precision()
            )?;
        }
    }
    let mut line = json!({
        "dataset": args.drafts.display().to_string(),
        "data_sha256": dataset.sha256,
        "models": { "embedder": "all-minilm-l6-v2", "embedder_sha256": fingerprint },
        "version": env!("CARGO_PKG_VERSION"),
        "dev": half(Half::Dev),
        "test": half(Half::Test),
    });
    if let (Some(line), serde_json::Value::Object(metrics)) = (line.as_object_mut(), all.to_json())
    {
        line.extend(metrics);
    }
    writeln!(out, "{line}")?;
    Ok(())
}

fn write_all(path: &std::path::Path, judged: &[Judged<'_>]) -> anyhow::Result<()> {
    let file =
        std::fs::File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    let mut file = BufWriter::new(file);
    for one in judged {
        serde_json::to_writer(&mut file, &one.prediction())?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(())
}

fn print_fit(out: &mut dyn Write, judged: &[Judged<'_>]) -> anyhow::Result<()> {
    let (values, denials, covered) = fit(judged);
    print_fitted(out, "CLASH_WEIGHTS", &values)?;
    print_fitted(out, "DENIAL_WEIGHTS", &denials)?;
    print_fitted(out, "WEIGHTS", &covered)
}

fn print_fitted<const N: usize>(
    out: &mut dyn Write,
    name: &str,
    fitted: &Fitted<N>,
) -> anyhow::Result<()> {
    let weights = fitted.weights.map(|weight| format!("{weight:.3}")).join(", ");
    writeln!(out, "const {name}: [f32; {N}] = [{weights}];")?;
    for (threshold, found, wrong) in &fitted.curve {
        let planted = fitted.planted;
        writeln!(out, "  from {threshold:.1}: {found} of {planted} found, {wrong} wrongly named")?;
    }
    Ok(())
}
