//! `backchannel knowledge search Q`, `knowledge lint [DIR]`, `knowledge index [DIR]`, and what goes
//! between files and the articles' log: `knowledge import PATH…`, `knowledge export DIR`; and drafts out of
//! past calls: `knowledge propose`.

mod export;
mod import;
mod propose;
mod target;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub use self::target::Refusal;
use crate::domain::ErrorKind;
use crate::knowledge::{
    Library, LibrarySettings, SearchMode, SearchRequest, Source, cache_folder, queries,
};
use crate::models::embedder::EmbedderHandle;
use crate::models::installed;
use crate::models::minilm::{MiniLm, MiniLmFiles};

/// The embedding model of a command-line run.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Folder with model.safetensors, tokenizer.json and config.json of all-MiniLM-L6-v2, instead
    /// of the one that `backchannel models pull` installed
    #[arg(long, value_name = "DIR", env = "BACKCHANNEL_EMBEDDER")]
    embedder: Option<PathBuf>,
    /// Threads of the embedding model
    #[arg(long, default_value_t = 1)]
    embedder_threads: usize,
}

impl ModelArgs {
    /// # Errors
    /// Names the model or the file that is missing.
    pub fn embedder(&self) -> anyhow::Result<EmbedderHandle> {
        let folder = match &self.embedder {
            Some(folder) => folder.clone(),
            None => installed("all-minilm-l6-v2")?.folder,
        };
        let model = MiniLm::open(&MiniLmFiles::in_folder(&folder), self.embedder_threads)?;
        Ok(model.spawn(64))
    }

    pub fn settings(&self, source: Source) -> LibrarySettings {
        let mut settings = LibrarySettings::new(source);
        settings.cache = cache_folder(&|name| std::env::var(name).ok());
        // Nobody waits on a phone for this run.
        settings.query_patience = std::time::Duration::from_secs(30);
        settings
    }
}

#[derive(Debug, Subcommand)]
pub enum KnowledgeCommand {
    /// Search the articles and say why each passage was found
    Search(SearchArgs),
    /// Check all articles and queries.toml
    Lint(LintArgs),
    /// Compute the articles' vectors into the cache, so that a service finds them there
    Index(IndexArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Propose(propose::ProposeArgs),
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    query: String,
    #[arg(long, value_name = "DIR", default_value = "knowledge")]
    dir: PathBuf,
    #[arg(long, default_value_t = 5)]
    limit: usize,
    /// hybrid, bm25 or dense
    #[arg(long, default_value = "hybrid", value_parser = |text: &str| SearchMode::parse(text).ok_or("hybrid, bm25 or dense"))]
    mode: SearchMode,
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Debug, Args)]
pub struct LintArgs {
    #[arg(default_value = "knowledge")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct IndexArgs {
    #[arg(default_value = "knowledge")]
    dir: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
}

/// What the run came to, for the exit code.
pub type Outcome = Result<(), ErrorKind>;

/// # Errors
/// When the articles or the model can't be read.
pub fn run(command: &KnowledgeCommand, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    match command {
        KnowledgeCommand::Search(args) => search(args, out),
        KnowledgeCommand::Lint(args) => lint(args, out),
        KnowledgeCommand::Index(args) => index(args, out),
        KnowledgeCommand::Import(args) => import::run(args, out),
        KnowledgeCommand::Export(args) => export::run(args, out),
        KnowledgeCommand::Propose(args) => propose::run(args, out),
    }
}

fn search(args: &SearchArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let library = Library::open(&args.model.settings(Source::Folder(args.dir.clone())))?;
    if args.mode != SearchMode::Bm25 {
        library.attach_vectors(args.model.embedder()?, |_, _| {})?;
    }
    let mut request = SearchRequest::new(args.query.clone());
    request.limit = args.limit;
    request.mode = args.mode;
    for hit in library.search(&request)?.hits {
        let passage = hit.passage();
        writeln!(
            out,
            "{:.2} {}  {} / {}",
            hit.score, passage.id, hit.article.title, passage.heading
        )?;
        writeln!(out, "     {}", hit.quote().split_whitespace().collect::<Vec<_>>().join(" "))?;
        writeln!(out, "     ({})", hit.why.join("; "))?;
    }
    Ok(Ok(()))
}

fn lint(args: &LintArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let source = Source::Folder(args.dir.clone());
    let library = Library::open(&LibrarySettings::new(source.clone()))?;
    for complaint in library.complaints() {
        writeln!(out, "{complaint}")?;
    }
    let mut clean = library.complaints().is_empty();
    let mut questions = 0;
    if let Some(text) = source.companion("queries.toml") {
        match queries::parse("queries.toml", &text, &|id| library.article(id).is_some()) {
            Ok(queries) => questions = queries.len(),
            Err(complaint) => {
                writeln!(out, "{complaint}")?;
                clean = false;
            }
        }
    }
    let articles = library.articles();
    let passages: usize = articles.iter().map(|article| article.passages.len()).sum();
    writeln!(out, "{} articles, {passages} passages, {questions} questions", articles.len())?;
    Ok(if clean { Ok(()) } else { Err(ErrorKind::Invalid) })
}

fn index(args: &IndexArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let library = Library::open(&args.model.settings(Source::Folder(args.dir.clone())))?;
    let bar = ProgressBar::hidden();
    if std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")?;
        bar.set_style(style.progress_chars("=> "));
        bar.set_message("vectors");
    }
    let texts = std::cell::Cell::new(0);
    library.attach_vectors(args.model.embedder()?, |done, all| {
        texts.set(all);
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    writeln!(out, "{} articles, {} vectors in the cache", library.articles().len(), texts.get())?;
    Ok(Ok(()))
}
