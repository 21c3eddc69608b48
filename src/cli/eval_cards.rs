//! `backchannel eval cards CALLS`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::knowledge::ModelArgs;
use crate::evaluate::cards::{CardReport, TurnResult, calls_of, play};
use crate::flow::suggestion::SuggestionSettings;
use crate::knowledge::{Library, Source};

#[derive(Debug, Args)]
pub struct CardsArgs {
    /// A folder of calls as in tests/calls: turns, questions with the words of a right answer, and
    /// the turns that want no card
    calls: PathBuf,
    /// The articles that should answer
    #[arg(long, value_name = "DIR", default_value = "knowledge")]
    knowledge: PathBuf,
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
    let calls = calls_of(&args.calls)?;
    let library = Library::open(&args.model.settings(Source::Folder(args.knowledge.clone())))?;
    library.attach_vectors(args.model.embedder()?, |_, _| {})?;
    let mut all = CardReport::default();
    for (name, call) in &calls {
        let results = play(call, &library, &SuggestionSettings::default())?;
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
    all.calls = calls.len();
    let mut line = serde_json::to_value(&all)?;
    line["dataset"] = args.calls.display().to_string().into();
    line["version"] = env!("CARGO_PKG_VERSION").into();
    writeln!(out, "{line}")?;
    Ok(())
}

fn print_turn(out: &mut dyn Write, result: &TurnResult<'_>) -> std::io::Result<()> {
    let mark = match (result.answered, result.wants_none, &result.card) {
        (Some(true), ..) => "✓",
        (Some(false), ..) => "✗",
        (None, true, Some(_)) => "!",
        _ => " ",
    };
    writeln!(out, "{mark} {:2} {}: {}", result.index, result.turn.speaker, result.turn.text)?;
    match (&result.card, &result.abstained) {
        (Some(card), _) => {
            let article = &card.citations[0].article_id;
            writeln!(out, "      {:.2} {article}: {}", card.score, card.text)
        }
        (None, Some(why)) => writeln!(out, "      {why:?}"),
        (None, None) => Ok(()),
    }
}
