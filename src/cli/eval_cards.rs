//! `backchannel eval cards CALLS`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::knowledge::ModelArgs;
use crate::evaluate::cards::{CardReport, TurnResult, calls_of, play};
use crate::evaluate::fit::fit;
use crate::flow::suggestion::SuggestionSettings;
use crate::flow::suggestion::judge::Judge;
use crate::knowledge::{Library, Source};

#[derive(Debug, Args)]
pub struct CardsArgs {
    /// Folders of calls as in tests/calls: turns, questions with the words of a right answer, and
    /// the turns that want no card
    #[arg(required = true)]
    calls: Vec<PathBuf>,
    /// The articles that should answer
    #[arg(long, value_name = "DIR", default_value = "knowledge")]
    knowledge: PathBuf,
    /// Fit the weights of cards to these calls and print them: tests/dialogues tests/scenarios
    #[arg(long)]
    fit: bool,
    /// Show cards from this probability on, instead of the product's
    #[arg(long)]
    threshold: Option<f32>,
    /// The same where silence is all but ruled out
    #[arg(long)]
    sure_threshold: Option<f32>,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Print every turn and what it got
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Prints what each call got; the last line is JSON.
///
/// # Errors
/// When the calls, the articles or the model can't be used.
pub fn run(args: &CardsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut calls = Vec::new();
    for folder in &args.calls {
        calls.extend(calls_of(folder)?);
    }
    let library = Library::open(&args.model.settings(Source::Folder(args.knowledge.clone())))?;
    if args.fit {
        // Without vectors a search is what it is while they are being made.
        print_judge(out, "KEYWORDS", &fit(&calls, &library)?)?;
    }
    library.attach_vectors(args.model.embedder()?, |_, _| {})?;
    if args.fit {
        print_judge(out, "HYBRID", &fit(&calls, &library)?)?;
        return Ok(());
    }
    let mut settings = SuggestionSettings::default();
    settings.threshold = args.threshold.unwrap_or(settings.threshold);
    settings.sure_threshold = args.sure_threshold.unwrap_or(settings.sure_threshold);
    let mut all = CardReport::default();
    for (name, call) in &calls {
        let results = play(call, &library, &settings)?;
        let mut report = CardReport::default();
        report.add(&results);
        all.add(&results);
        if args.verbose {
            for result in &results {
                print_turn(out, result)?;
            }
        }
        if !args.json {
            let CardReport { questions_answered, questions, small_talk_cards, cards, .. } = report;
            writeln!(
                out,
                "{name}: {questions_answered} of {questions} questions, {cards} cards, \
                 {small_talk_cards} where none is wanted"
            )?;
        }
    }
    let mut line = serde_json::to_value(&all)?;
    let folders: Vec<String> =
        args.calls.iter().map(|folder| folder.display().to_string()).collect();
    line["dataset"] = folders.join(" ").into();
    line["version"] = env!("CARGO_PKG_VERSION").into();
    writeln!(out, "{line}")?;
    Ok(())
}

fn print_judge(out: &mut dyn Write, name: &str, judge: &Judge) -> std::io::Result<()> {
    let numbers = |weights: &[f32]| {
        weights.iter().map(|weight| format!("{weight:.2}")).collect::<Vec<_>>().join(", ")
    };
    writeln!(out, "pub const {name}: Self = Self {{")?;
    for (look, weights) in [("turn", &judge.turn), ("reply", &judge.reply)] {
        writeln!(out, "    {look}: Weights {{")?;
        writeln!(out, "        evidence: [{}],", numbers(&weights.evidence))?;
        writeln!(out, "        silence: [{}],", numbers(&weights.silence))?;
        writeln!(out, "    }},")?;
    }
    writeln!(out, "}};")
}

fn print_turn(out: &mut dyn Write, result: &TurnResult<'_>) -> std::io::Result<()> {
    let mark = match (result.answered, result.wants_none, &result.card) {
        (Some(true), ..) => "✓",
        (Some(false), ..) => "✗",
        (None, true, Some(_)) => "!",
        _ => " ",
    };
    writeln!(out, "{mark} {:2} {}: {}", result.index, result.turn.speaker, result.turn.text)?;
    if let Some(question) = &result.missed {
        writeln!(out, "      unanswered: {}", question.as_str())?;
    }
    match (&result.card, &result.abstained) {
        (Some(card), _) => {
            let article = &card.citations[0].article_id;
            writeln!(out, "      {:.2} {article}: {}", card.score, card.text)
        }
        (None, Some(why)) => writeln!(out, "      {why:?}"),
        (None, None) => Ok(()),
    }
}
