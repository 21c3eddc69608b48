//! `backchannel eval feedback DATASET`

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::knowledge::ModelArgs;
use crate::evaluate::feedback::{Agents, Comparison, Half, Plan, Quality, Questions, compare};
use crate::flow::suggestion::SuggestionSettings;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Halves {
    /// Of those that weights were fitted on, cut in two by the seed: for choosing constants
    Development,
    /// One half is heard in the log, the other one was never fitted on
    Test,
}

#[derive(Debug, Args)]
pub struct FeedbackArgs {
    /// A knowledge folder with queries.toml, or a folder with intents.jsonl: then an intent's name is
    /// all that its article says
    dataset: PathBuf,
    /// Calls of the made-up log, each with one question
    #[arg(long, default_value_t = 600)]
    calls: usize,
    /// Share of verdicts in which agents are mistaken
    #[arg(long, default_value_t = 0.1)]
    mistaken: f64,
    /// Logs to make, with the seeds 1, 2, …
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Show cards from this probability on, instead of the product's
    #[arg(long)]
    threshold: Option<f32>,
    #[arg(long, value_enum, default_value_t = Halves::Test)]
    half: Halves,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints the figures before and after; the last line is JSON.
///
/// # Errors
/// When the dataset or the model can't be used.
pub fn run(args: &FeedbackArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = Questions::open(&args.dataset, |source| args.model.settings(source))?;
    let embedder = args.model.embedder()?;
    dataset.library.attach_vectors(embedder.clone(), |_, _| {})?;
    let half = match args.half {
        Halves::Development => Half::Development,
        Halves::Test => Half::Test,
    };
    let product = SuggestionSettings::default().threshold;
    let threshold = args.threshold.unwrap_or(product);
    let mut line = serde_json::json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "calls": args.calls,
        "mistaken": args.mistaken,
        "threshold": threshold,
        "models": {"embedder": "all-minilm-l6-v2", "embedder_sha256": embedder.fingerprint()},
        "version": env!("CARGO_PKG_VERSION"),
    });
    let agents = [
        ("knowing", Agents::Knowing { mistaken: args.mistaken }),
        ("tossing", Agents::Tossing { accepted: 0.5 }),
        ("pleased", Agents::Tossing { accepted: 0.8 }),
    ];
    if !args.json {
        writeln!(
            out,
            "agents   questions    R@1            MRR@10         right cards   wrong cards   false cards"
        )?;
    }
    for (name, agents) in agents {
        let mut runs = Vec::new();
        for seed in 1..=args.seeds {
            let plan = Plan { calls: args.calls, agents, threshold, seed };
            let [heard, other] = dataset.halves(half, seed);
            runs.push(compare(&dataset.library, &embedder, [&heard, &other], &plan)?);
        }
        if !args.json {
            print(out, name, &runs)?;
        }
        line[name] = serde_json::to_value(&runs)?;
    }
    writeln!(out, "{line}")?;
    Ok(())
}

/// Means over the seeds, before → after.
fn print(out: &mut dyn Write, agents: &str, runs: &[Comparison]) -> std::io::Result<()> {
    type BeforeAndAfter = fn(&Comparison) -> [Quality; 2];
    let heard: BeforeAndAfter = |run| run.heard;
    let other_words: BeforeAndAfter = |run| run.other_words;
    for (questions, of) in [("heard", heard), ("other words", other_words)] {
        let mean = |figure: fn(&Quality) -> f64| -> [f64; 2] {
            [0, 1].map(|at| {
                runs.iter().map(|run| figure(&of(run)[at])).sum::<f64>() / runs.len().max(1) as f64
            })
        };
        let share = |[before, after]: [f64; 2]| format!("{before:.3} → {after:.3}");
        let count = |[before, after]: [f64; 2]| format!("{before:5.1} → {after:5.1}");
        writeln!(
            out,
            "{agents:<8} {questions:<12} {}  {}  {} {} {}",
            share(mean(|q| q.recall_at_1)),
            share(mean(|q| q.mrr_at_10)),
            count(mean(|q| q.right_cards as f64)),
            count(mean(|q| q.wrong_cards as f64)),
            count(mean(|q| q.false_cards as f64)),
        )?;
    }
    Ok(())
}
