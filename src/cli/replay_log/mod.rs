//! `backchannel replay-log ID… [--against …]`

mod against;
mod print;
mod verdicts;

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::against::{Against, Ranking};
use self::print::Report;
use self::verdicts::Verdicts;
use super::Failure;
use super::knowledge::ModelArgs;
use super::log::{Log, LogArgs};
use crate::app::articles::library_of;
use crate::config::Config;
use crate::domain::{ConversationId, ErrorKind};
use crate::flow::replay::{Sums, differences, rerun, stored_call};
use crate::flow::suggestion::SuggestionSettings;
use crate::knowledge::{Library, Source};
use crate::models::embedder::EmbedderHandle;
use crate::store::{ConversationRow, ListQuery, MAX_READ, Store as _, StoreError};

const HELP: &str = "\
Examples:
  backchannel replay-log c-01KB7Q…
  backchannel replay-log c-01KB7Q… --against ranking=plain --against ranking=feedback
  backchannel replay-log --all --against ranking=feedback
  backchannel replay-log --all --against knowledge=articles-next,threshold=0.5 --json
  backchannel replay-log --all --demo

The turns of the stored conversations go through the suggestion stage again: with the articles, models
and rules of today, or with what --against names. Each --against is one rerun; it takes, with commas
between them:
  ranking=plain      agents' verdicts don't count
  ranking=feedback   they do, but only those that were given before the conversation began: so no card
                     is judged by what became of itself
  search=keywords    without vectors (search=hybrid: with)
  knowledge=DIR      the articles of this folder
  threshold=P        show cards from this probability on
What isn't named is as the settings have it.

For each card it says what became of it: same (from the same passage, perhaps for another turn), other
(another passage in its place), gone, new. The sums count the cards that agents accepted and that would
still be shown, and those that they dismissed and that wouldn't. Nobody has judged the new ones.

The log is only read, also while the service runs. What the recogniser heard stays as it is; so do
searches that came too late in a live call: here each one is answered before the next turn.

Exit code 0: done; 2: no such log or conversation, or the arguments are wrong; 75: the log can't be
had now.";

/// Rerun stored conversations, and print which cards would be others now
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct ReplayLogArgs {
    /// Conversations of the log
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
    ids: Vec<String>,
    /// All conversations of the log; prints the sums
    #[arg(long)]
    all: bool,
    /// What to rerun with: ranking=plain|feedback, search=hybrid|keywords, knowledge=DIR, threshold=P
    #[arg(long, value_name = "WHAT")]
    against: Vec<Against>,
    #[command(flatten)]
    log: LogArgs,
    /// With --all: print every card that changed, too
    #[arg(long, short)]
    verbose: bool,
    /// One JSON object for each conversation and rerun, and one with the sums
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// The whole command.
///
/// # Errors
/// The log, a conversation, the articles or the model can't be had.
pub fn run(args: &ReplayLogArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let config = args.log.config()?;
    args.log.with(&config, |log| replay(args, &config, log, out))
}

/// One rerun of every conversation.
struct Rerun {
    against: Against,
    library: Library,
    settings: SuggestionSettings,
    is_by_feedback: bool,
    sums: Sums,
}

fn replay(
    args: &ReplayLogArgs,
    config: &Config,
    log: &Log,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let rows = if args.all { all(log)? } else { named(log, &args.ids)? };
    let mut stage = Stage { args, config, log, embedder: None, libraries: Vec::new() };
    let today = [Against::default()];
    let wanted = if args.against.is_empty() { &today[..] } else { &args.against };
    let mut reruns: Vec<Rerun> =
        wanted.iter().map(|against| stage.rerun(against)).collect::<Result<_, _>>()?;
    let mut verdicts = match &stage.embedder {
        Some(embedder) if reruns.iter().any(|rerun| rerun.is_by_feedback) => {
            Some(Verdicts::read(log, embedder)?)
        }
        _ => None,
    };
    let mut report = Report { is_json: args.json, is_brief: args.all && !args.verbose, out };
    let progress = progress(rows.len());
    for row in &rows {
        let call = match log.runtime.block_on(stored_call(&log.store, &log.tenant, &row.id)) {
            Err(error @ StoreError::Corrupt(_)) if args.all => {
                progress.suspend(|| eprintln!("{}: left out: {error}", row.id));
                continue;
            }
            call => call?,
        };
        if let Some(verdicts) = &mut verdicts {
            verdicts.go_to(call.position);
        }
        report.call(row).map_err(internal)?;
        for rerun_with in &mut reruns {
            let Rerun { against, library, settings, is_by_feedback, sums } = rerun_with;
            let counted = verdicts.as_ref().filter(|_| *is_by_feedback);
            library.heed(counted.map(Verdicts::feedback));
            let now = rerun(&call, library, settings)?;
            let found = differences(&call, &now);
            sums.add(&found);
            report.rerun(row, against, &call, &found).map_err(internal)?;
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let sums: Vec<(&Against, &Sums)> =
        reruns.iter().map(|rerun| (&rerun.against, &rerun.sums)).collect();
    report.sums(&sums).map_err(internal)
}

/// All conversations, oldest first.
fn all(log: &Log) -> Result<Vec<ConversationRow>, Failure> {
    let mut query = ListQuery {
        tenant: log.tenant.clone(),
        state: None,
        external_id: None,
        limit: MAX_READ,
        after: None,
    };
    let mut rows = Vec::new();
    loop {
        let page = log.runtime.block_on(log.store.conversations(&query))?;
        rows.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    rows.reverse();
    Ok(rows)
}

/// Those that were asked for, oldest first: so verdicts are taken in once.
fn named(log: &Log, ids: &[String]) -> Result<Vec<ConversationRow>, Failure> {
    let Log { store, tenant, runtime } = log;
    let mut rows = Vec::new();
    for id in ids {
        let id = ConversationId::from(id.as_str());
        let row = runtime.block_on(store.conversation(tenant, &id))?;
        let row = row.ok_or_else(|| {
            let message = format!("the log has no conversation {id} of the tenant {tenant}");
            Failure::new(ErrorKind::NotFound, message)
        })?;
        rows.push((runtime.block_on(stored_call(store, tenant, &id))?.position, row));
    }
    rows.sort_by_key(|(position, _)| *position);
    rows.dedup_by_key(|(position, _)| *position);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// What reruns are made of; what two of them share is opened once.
struct Stage<'a> {
    args: &'a ReplayLogArgs,
    config: &'a Config,
    log: &'a Log,
    embedder: Option<EmbedderHandle>,
    libraries: Vec<(Option<PathBuf>, bool, Library)>,
}

impl Stage<'_> {
    fn rerun(&mut self, against: &Against) -> Result<Rerun, Failure> {
        let is_by_feedback = match against.ranking {
            Some(ranking) => ranking == Ranking::Feedback,
            None => self.config.knowledge.feedback && !against.is_by_keywords,
        };
        let mut settings = self.config.suggestion.settings();
        settings.filter.valid_on = Some(jiff::Zoned::now().date());
        settings.threshold = against.threshold.unwrap_or(settings.threshold);
        let library = self.library(against.knowledge.as_deref(), against.is_by_keywords)?;
        let (against, sums) = (against.clone(), Sums::default());
        Ok(Rerun { against, library, settings, is_by_feedback, sums })
    }

    fn library(
        &mut self,
        knowledge: Option<&Path>,
        is_by_keywords: bool,
    ) -> Result<Library, Failure> {
        let known = self
            .libraries
            .iter()
            .find(|(folder, plain, _)| (folder.as_deref(), *plain) == (knowledge, is_by_keywords));
        if let Some((_, _, library)) = known {
            return Ok(library.clone());
        }
        let library = match knowledge {
            Some(folder) => self.of_folder(folder)?,
            None => self.in_force()?,
        };
        if !is_by_keywords {
            let embedder = match &self.embedder {
                Some(embedder) => embedder.clone(),
                None => self.args.model.embedder().map_err(super::unforeseen)?,
            };
            library.attach_vectors(embedder.clone(), |_, _| {})?;
            self.embedder = Some(embedder);
        }
        self.libraries.push((knowledge.map(Path::to_owned), is_by_keywords, library.clone()));
        Ok(library)
    }

    fn of_folder(&self, folder: &Path) -> Result<Library, Failure> {
        let source = Source::Folder(folder.to_owned());
        let library = Library::open(&self.args.model.settings(source))?;
        for complaint in library.complaints() {
            eprintln!("warning: left out: {complaint}");
        }
        Ok(library)
    }

    /// What is in force by the log; where the log has no articles yet, those that a service would take
    /// over when it starts.
    fn in_force(&self) -> Result<Library, Failure> {
        let Log { store, tenant, runtime } = self.log;
        let settings = self.args.model.settings(Source::Folder(PathBuf::new()));
        let opened = runtime.block_on(library_of(store, tenant, settings))?;
        match &self.config.knowledge.folder {
            _ if !opened.library.articles().is_empty() => Ok(opened.library),
            Some(folder) => self.of_folder(folder),
            None => Err(Failure::invalid(
                "there are no articles in the log: name a folder by --against knowledge=DIR",
            )),
        }
    }
}

fn progress(conversations: usize) -> ProgressBar {
    let bar = ProgressBar::hidden();
    if conversations > 1 && std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    if let Ok(style) = ProgressStyle::with_template("conversations [{bar:30}] {pos}/{len} {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_length(conversations as u64);
    bar
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorKind::Internal, error.to_string())
}
