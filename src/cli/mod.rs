//! The command line: one file per subcommand. Prints for people; everything else logs.

mod audit;
mod backup;
mod categories;
mod check;
mod client;
mod erase;
mod eval_asr;
pub mod eval_cards;
mod eval_conflicts;
mod eval_feedback;
mod eval_followups;
mod eval_gaps;
mod eval_grounding;
mod eval_injection;
mod eval_intent;
mod eval_redaction;
pub mod eval_retrieval;
mod eval_routing;
mod eval_spoken;
mod eval_summary;
mod keys;
pub mod knowledge;
mod log;
pub mod models;
mod output;
pub mod replay;
mod replay_log;
mod route;
mod serve;
mod summarize;
mod transcribe;
mod vault;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use self::output::is_same_file;
use crate::domain::{Classify, ErrorKind};

/// Copilot and conversation intelligence for contact centres, on your own machine.
///
/// Start with `backchannel serve --demo`, then play a recorded call into it with
/// `backchannel replay tests/calls/billing-double-charge.wav --follow`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Replay(replay::Args),
    ReplayLog(replay_log::ReplayLogArgs),
    Transcribe(transcribe::TranscribeArgs),
    Summarize(summarize::SummarizeArgs),
    /// Make, list and revoke API keys, also while the service runs
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    Models(models::ModelsArgs),
    /// Search and check the articles
    #[command(subcommand)]
    Knowledge(knowledge::KnowledgeCommand),
    /// Check, test and try the rules of categories and alerts
    #[command(subcommand)]
    Categories(categories::CategoriesCommand),
    /// Compare policies of routing in a simulated call centre, and write what the router has seen
    #[command(subcommand)]
    Route(route::RouteCommand),
    /// Measure a capability on a data set; the last line is one JSON object
    #[command(subcommand)]
    Eval(Eval),
    /// Check that nothing in the event log was changed, cut off or lost
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    /// The keys under which backups hold what was said
    #[command(subcommand)]
    Keyring(backup::KeyringCommand),
    /// Have back what was masked, for whoever has the private key
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    Erase(erase::EraseArgs),
    Retention(erase::RetentionArgs),
    Check(check::CheckArgs),
}

#[derive(Debug, Subcommand)]
enum Eval {
    Asr(eval_asr::AsrArgs),
    Grounding(eval_grounding::GroundingArgs),
    Injection(eval_injection::InjectionArgs),
    /// How well questions find the articles that answer them
    Retrieval(eval_retrieval::RetrievalArgs),
    /// How well what was heard finds the thing that is meant and its answer
    SpokenRetrieval(eval_spoken::SpokenArgs),
    /// Which cards written calls get
    Cards(eval_cards::CardsArgs),
    Conflicts(eval_conflicts::ConflictsArgs),
    /// What the ranking learns from agents' verdicts, on a made-up log
    Feedback(eval_feedback::FeedbackArgs),
    Followups(eval_followups::FollowupsArgs),
    Redaction(eval_redaction::RedactionArgs),
    Routing(eval_routing::RoutingArgs),
    Summary(eval_summary::SummaryArgs),
    /// How well intents are told on a labelled set, and when nothing is said
    Intent(eval_intent::IntentArgs),
    /// Whether questions that ask the same come together
    Gaps(eval_gaps::GapsArgs),
}

/// Why a command failed: what to print, and which exit code.
#[derive(Debug)]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
}

impl Failure {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A file that somebody named can't be written.
    pub fn of_file(file: &Path, error: &std::io::Error) -> Self {
        Self::new(ErrorKind::of_named_file(error), format!("{}: {error}", file.display()))
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// 2: the input or the arguments are wrong; 75: try again later; 70: a bug (sysexits.h).
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Denied => 2,
            ErrorKind::Busy | ErrorKind::Timeout | ErrorKind::Unavailable => 75,
            ErrorKind::Internal => 70,
        })
    }
}

impl<E: Classify> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    // A panic's message may quote what it choked on, and that may be what a customer said.
    std::panic::set_hook(Box::new(|panic| {
        // Whoever reads what is printed may have enough.
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(0);
        }
        // Where nobody reads it any more, nobody misses it.
        let _ = writeln!(std::io::stderr(), "error: {}", place_of(panic.location()));
    }));
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {}", failure.message);
            failure.exit_code()
        }
    }
}

fn place_of(panic: Option<&std::panic::Location<'_>>) -> String {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    match panic {
        Some(place) => format!("a panic in thread {thread} at {}:{}", place.file(), place.line()),
        None => format!("a panic in thread {thread}"),
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    let mut out = output::Output;
    match command {
        Command::Serve(args) => serve::run(&args),
        Command::Replay(args) => {
            replay::run(args)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::ReplayLog(args) => {
            replay_log::run(&args, &mut out)?;
            out.flush().map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Transcribe(args) => transcribe::run(&args, &mut out),
        Command::Summarize(args) => summarize::run(&args),
        Command::Keys(command) => {
            keys::run(&command, &mut out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Models(args) => models::run(args).map_err(unforeseen),
        Command::Knowledge(command) => {
            match knowledge::run(&command, &mut out).map_err(unforeseen)? {
                Ok(()) => Ok(ExitCode::SUCCESS),
                Err(kind) => Err(Failure::new(kind, "the articles need work, see above")),
            }
        }
        Command::Eval(eval) => {
            let done = match eval {
                Eval::Asr(args) => {
                    eval_asr::run(&args, &mut out)?;
                    Ok(())
                }
                Eval::Grounding(args) => {
                    eval_grounding::run(&args, &mut out)?;
                    Ok(())
                }
                Eval::Injection(args) => {
                    eval_injection::run(&args, &mut out)?;
                    Ok(())
                }
                Eval::Retrieval(args) => eval_retrieval::run(&args, &mut out),
                Eval::SpokenRetrieval(args) => eval_spoken::run(&args, &mut out),
                Eval::Intent(args) => eval_intent::run(&args, &mut out),
                Eval::Gaps(args) => eval_gaps::run(&args, &mut out),
                Eval::Cards(args) => eval_cards::run(&args, &mut out),
                Eval::Conflicts(args) => eval_conflicts::run(&args, &mut out),
                Eval::Feedback(args) => eval_feedback::run(&args, &mut out),
                Eval::Followups(args) => eval_followups::run(&args, &mut out),
                Eval::Redaction(args) => eval_redaction::run(&args, &mut out),
                Eval::Routing(args) => {
                    eval_routing::run(&args, &mut out)?;
                    Ok(())
                }
                Eval::Summary(args) => {
                    eval_summary::run(&args, &mut out)?;
                    Ok(())
                }
            };
            done.map_err(unforeseen)?;
            out.flush().map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Categories(command) => {
            categories::run(&command, &mut out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Route(command) => {
            route::run(&command, &mut out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Audit(command) => audit::run(&command, &mut out),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Keyring(command) => backup::keyring(&command),
        Command::Vault(command) => vault::run(&command, &mut out),
        Command::Erase(args) => erase::run(&args, &mut out),
        Command::Retention(args) => erase::retention(&args, &mut out),
        Command::Check(args) => check::run(&args),
    }
}

/// An error that wasn't classified where it arose: by the first in its chain that was.
fn unforeseen(error: anyhow::Error) -> Failure {
    use self::knowledge::Refusal;
    use crate::app::AppError;
    use crate::evaluate::cards::CardsError;
    use crate::evaluate::redaction::RedactionDataError;
    use crate::evaluate::retrieval::EvaluationError;
    use crate::knowledge::KnowledgeError;
    use crate::models::ModelError;
    use crate::models::embedder::EmbedderError;
    use crate::store::StoreError;
    let kind = error
        .chain()
        .find_map(|cause| {
            None.or_else(|| cause.downcast_ref().map(ModelError::kind))
                .or_else(|| cause.downcast_ref().map(EmbedderError::kind))
                .or_else(|| cause.downcast_ref().map(KnowledgeError::kind))
                .or_else(|| cause.downcast_ref().map(EvaluationError::kind))
                .or_else(|| cause.downcast_ref().map(CardsError::kind))
                .or_else(|| cause.downcast_ref().map(RedactionDataError::kind))
                .or_else(|| cause.downcast_ref().map(StoreError::kind))
                .or_else(|| cause.downcast_ref().map(AppError::kind))
                .or_else(|| cause.downcast_ref().map(Refusal::kind))
        })
        .unwrap_or(ErrorKind::Internal);
    Failure::new(kind, format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_reported_by_its_place() {
        let here = std::panic::Location::caller();
        let report = place_of(Some(here));
        assert!(report.ends_with(&format!("src/cli/mod.rs:{}", here.line())), "{report}");
        assert!(report.contains("a_panic_is_reported_by_its_place"), "{report}");
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
