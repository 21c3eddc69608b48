//! `backchannel eval summary DATASET`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::Failure;
use crate::evaluate::summary::{Dataset, References, SummaryReport, predict, stands_word_for_word};
use crate::flow::wrapup::EXTRACTIVE;

/// Compare summaries with those that people wrote
///
/// DATASET is a folder with .jsonl files in the form of TweetSumm, DialogSum or QMSum, or one such
/// file. The summary is the paragraph of the wrap-up, with the role's name before what somebody
/// says. ROUGE is F1 in the convention of Google's rouge-score with its stemmer. A sentence is
/// unsupported if it doesn't stand word for word in the turn that it cites.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval summary tweetsumm/\n  \
    backchannel eval summary tweetsumm/dialogues.jsonl --references mean --predictions written.jsonl")]
pub struct SummaryArgs {
    /// Folder with .jsonl files, or one of them
    dataset: PathBuf,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each conversation: summary, figures, length
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// What counts where several people wrote a summary
    #[arg(long, value_enum, default_value = "best")]
    references: References,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// The data set can't be used, or the predictions can't be written.
pub fn run(args: &SummaryArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let dataset = Dataset::open(&args.dataset)?;
    let mut file = match &args.predictions {
        Some(path) => {
            let file = std::fs::File::create(path).map_err(|error| cannot_write(path, &error))?;
            Some((BufWriter::new(file), path))
        }
        None => None,
    };
    let progress = progress(dataset.items.len(), args.json);
    let mut predictions = Vec::with_capacity(dataset.items.len());
    for item in &dataset.items {
        let prediction = predict(item, args.references, &stands_word_for_word);
        if let Some((file, path)) = &mut file {
            serde_json::to_writer(&mut *file, &prediction)
                .map_err(std::io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|error| cannot_write(path, &error))?;
        }
        predictions.push(prediction);
        progress.inc(1);
    }
    progress.finish_and_clear();
    if let Some((file, path)) = &mut file {
        file.flush().map_err(|error| cannot_write(path, &error))?;
    }
    let report = SummaryReport::of(&predictions);
    let mut line = json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "models": { "generator": EXTRACTIVE },
        "version": env!("CARGO_PKG_VERSION"),
        "references": match args.references {
            References::Best => "best",
            References::Mean => "mean",
        },
    });
    if let (Some(line), serde_json::Value::Object(metrics)) =
        (line.as_object_mut(), report.to_json())
    {
        line.extend(metrics);
    }
    let printed = match args.json {
        true => Ok(()),
        false => out.write_all(table(&report).as_bytes()),
    };
    printed
        .and_then(|()| writeln!(out, "{line}"))
        .map_err(|error| cannot_write(Path::new("standard output"), &error))
}

fn progress(items: usize, silent: bool) -> ProgressBar {
    let target = if silent { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template("{pos} of {len} conversations, {per_sec}, {eta} left");
    let bar = ProgressBar::with_draw_target(Some(items as u64), target);
    match style {
        Ok(style) => bar.with_style(style),
        // The template is fixed; without it the bar looks as it comes.
        Err(_) => bar,
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::invalid(format!("{}: can't be written: {error}", path.display()))
}

fn table(report: &SummaryReport) -> String {
    let share = |value: f64| format!("{:.1} %", value * 100.0);
    let three = |rouge: &crate::evaluate::summary::Rouge| {
        format!("{:.3}  {:.3}  {:.3}", rouge.rouge1, rouge.rouge2, rouge.rouge_l)
    };
    let mut rows = vec![
        ("conversations", format!("{}, {} refused", report.items, report.refused)),
        ("ROUGE-1, -2, -L (F1)", three(&report.rouge)),
        ("the same without names of roles", three(&report.bare)),
        ("unsupported sentences", share(report.unsupported_rate)),
        ("words in a summary", format!("{:.1}", report.words)),
        ("conversations a second", format!("{:.0}", report.conversations_per_second())),
    ];
    if let Some(right) = report.details_right {
        rows.push(("its numbers and names that were said", share(right)));
    }
    if let Some(found) = report.wanted_found {
        rows.push(("people's numbers and names it has", share(found)));
    }
    rows.iter().map(|(name, value)| format!("{name:<38} {value}\n")).collect()
}
