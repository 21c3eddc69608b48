//! `backchannel eval followups CASES`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::evaluate::followups::{Case, Dataset, Figures, Half, Judged, Report, judge};

/// Find what is promised in conversations, and by when
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval followups tests/corpus/followups\n  \
    backchannel eval followups tests/corpus/followups --half dev --predictions found.jsonl")]
pub struct FollowupsArgs {
    /// Folder with files of cases, or one such file: conversations with what is promised in them
    dataset: PathBuf,
    /// Only one half: dev was looked at while the finder was built
    #[arg(long, value_enum)]
    half: Option<Half>,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each case
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// The cases can't be used, or the predictions can't be written.
pub fn run(args: &FollowupsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = Dataset::open(&args.dataset)?;
    let wanted = |case: &&Case| args.half.is_none_or(|half| case.half() == half);
    let judged = judge(dataset.cases.iter().filter(wanted));
    if let Some(path) = &args.predictions {
        write_all(path, &judged)?;
    }
    let figures = |half: Option<Half>| Report::of(&judged, half).figures();
    let halves =
        [Half::Dev, Half::Test].map(|half| Some(figures(Some(half))).filter(|f| f.cases > 0));
    let all = figures(None);
    if !args.json {
        writeln!(
            out,
            "half  cases  expected  found  precision  recall  F1     kinds  dates  limits  wrong dates"
        )?;
        let rows = [("dev", halves[0]), ("test", halves[1]), ("all", Some(all))];
        for (name, figures) in rows.iter().filter_map(|(name, figures)| Some((name, (*figures)?))) {
            write_row(out, name, &figures)?;
        }
    }
    let mut line = json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "models": {},
        "version": env!("CARGO_PKG_VERSION"),
        "dev": halves[0],
        "test": halves[1],
    });
    if let (Some(line), serde_json::Value::Object(metrics)) = (line.as_object_mut(), json!(all)) {
        line.extend(metrics);
    }
    writeln!(out, "{line}")?;
    Ok(())
}

fn write_row(out: &mut dyn Write, name: &str, figures: &Figures) -> anyhow::Result<()> {
    writeln!(
        out,
        "{name:<5} {:>5}  {:>8}  {:>5}  {:.3}      {:.3}   {:.3}  {:.3}  {:.3}  {:.3}   {} (and {} of what nobody promised)",
        figures.cases,
        figures.expected,
        figures.found,
        figures.precision,
        figures.recall,
        figures.f1,
        figures.kind_accuracy,
        figures.date_accuracy,
        figures.limit_accuracy,
        figures.wrong_dates,
        figures.dated_for_nothing,
    )?;
    Ok(())
}

fn write_all(path: &Path, judged: &[Judged<'_>]) -> anyhow::Result<()> {
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
