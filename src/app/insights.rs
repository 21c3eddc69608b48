//! What conversations tell of themselves, as the settings say: categories, sentiment, and intents, whose model is
//! trained at the start.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use include_dir::{Dir, include_dir};
use tokio::sync::watch;

use super::gaps::Meaning;
use crate::config::Config;
use crate::domain::Classify as _;
use crate::flow::driver::Intents;
use crate::flow::session::SignalSettings;
use crate::insight::categories::Categories;
use crate::insight::intent::{IntentError, IntentFiles, IntentModel, Shelf, parse, read};
use crate::knowledge::{VectorCache, cache_folder, text_hash};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Of the company that `serve --demo` plays.
static CATEGORIES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/categories");
static INTENTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/intents");

/// So many intents of a turn are told.
const TOP: usize = 3;
/// Examples that are embedded at once: so long a live turn may wait behind them.
const AT_ONCE: usize = 16;
const EXAMPLE_PATIENCE: Duration = Duration::from_secs(60);
/// A busy model is asked again after so long.
const AGAIN: Duration = Duration::from_secs(10);
/// Examples that are trained on beside live calls, as evenly of all intents as can be: some three seconds of one core,
/// and memory for three tables of so many times so many numbers, 200 MB.
const EXAMPLES_MOST: usize = 4_096;
/// So many lists' weights are kept.
const LISTS_MAX: usize = 8;

/// # Errors
/// All mistakes of all rules, a line each, with file, line and field.
pub fn categories(config: &Config, demo: bool) -> Result<Categories, String> {
    let made = match (&config.categories.folder, demo) {
        (Some(folder), _) => Categories::open(folder),
        (None, true) => Categories::from_toml(texts(&CATEGORIES)),
        (None, false) => return Ok(Categories::none()),
    };
    made.map_err(|error| error.to_string())
}

/// # Errors
/// As `categories`.
pub(super) fn signals(
    config: &Config,
    demo: bool,
    has_plan: bool,
) -> Result<SignalSettings, String> {
    let categories = categories(config, demo)?;
    let is_used = demo || has_plan || !categories.rules().is_empty();
    let tells_sentiment = config.categories.sentiment.unwrap_or(is_used);
    Ok(SignalSettings { categories: Arc::new(categories), tells_sentiment })
}

/// The company's list of intents; `None` where there is none.
///
/// # Errors
/// As `categories`.
pub fn intents(config: &Config, demo: bool) -> Result<Option<IntentFiles>, String> {
    let made = match (&config.intents.folder, demo) {
        (Some(folder), _) => read(folder),
        (None, true) => parse(texts(&INTENTS)),
        (None, false) => return Ok(None),
    };
    let files = made.map_err(|mistakes| {
        mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })?;
    Ok((!files.intents.is_empty()).then_some(files))
}

fn texts(folder: &'static Dir<'static>) -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = folder
        .files()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "toml"));
    files.filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
}

/// Trains the model as soon as there are vectors, beside what is live; intents are told from then on.
pub(super) fn train(files: IntentFiles, meaning: watch::Receiver<Meaning>, intents: Intents) {
    let cache = cache_folder(&|name| std::env::var(name).ok());
    tokio::spawn(async move {
        if let Some(model) = trained(files, meaning, cache).await {
            intents.trained(Arc::new(move |text, vector| model.predict(text, vector, TOP)));
        }
    });
}

/// `None` when there is no way to one. A model that is busy is asked again until it isn't.
async fn trained(
    files: IntentFiles,
    mut meaning: watch::Receiver<Meaning>,
    cache: Option<PathBuf>,
) -> Option<IntentModel> {
    let embedder = loop {
        match meaning.borrow_and_update().clone() {
            Meaning::Known(embedder) => break embedder,
            Meaning::Missing => {
                tracing::warn!("no intents are told: there is no embedding model");
                return None;
            }
            Meaning::Awaited => {}
        }
        meaning.changed().await.ok()?;
    };
    let (files, cache) = (Arc::new(files), Arc::new(cache));
    loop {
        let (files, cache, embedder) = (Arc::clone(&files), Arc::clone(&cache), embedder.clone());
        let work = move || beside_calls(|| model(&files, &embedder, cache.as_deref()));
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(model)) => return Some(model),
            Ok(Err(error)) if passes(&error) => {
                tracing::warn!(%error, "no intents are told yet: it is tried again");
                tokio::time::sleep(AGAIN).await;
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "no intents are told");
                return None;
            }
            Err(_) => {
                tracing::error!("no intents are told: the training failed, which is a bug");
                return None;
            }
        }
    }
}

/// A model that has stopped doesn't come back.
fn passes(error: &IntentError) -> bool {
    let has_stopped = matches!(error, IntentError::Vectors(EmbedderError::Stopped));
    error.kind().is_retryable() && !has_stopped
}

/// On one thread: whoever calls while the service starts needs the others.
fn beside_calls<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    match pool.thread_name(|_| "intents".to_owned()).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

/// Blocks for some seconds the first time; the examples' vectors are kept by what they say, and what was learnt by the
/// examples.
fn model(
    files: &IntentFiles,
    embedder: &EmbedderHandle,
    cache: Option<&Path>,
) -> Result<IntentModel, IntentError> {
    let begun = Instant::now();
    let open = |folder| VectorCache::open(folder, embedder.fingerprint(), embedder.dimensions());
    let kept = cache.and_then(|folder| open(folder).ok());
    let examples = files.examples();
    if examples.len() > EXAMPLES_MOST {
        let given = examples.len();
        tracing::warn!(given, used = EXAMPLES_MOST, "some examples of intents are left out");
    }
    let mut vectors = |texts: &[&str]| embed(texts, embedder, kept.as_ref());
    let shelf = Folder(cache.map(|folder| folder.join("intents")));
    let model = IntentModel::train_on(&examples, EXAMPLES_MOST, &mut vectors, &shelf)?;
    let (measures, ms) = (model.measures(), begun.elapsed().as_millis());
    tracing::info!(
        intents = model.labels().len(),
        examples = examples.len().min(EXAMPLES_MOST),
        accuracy = measures.accuracy,
        threshold = measures.threshold,
        ms,
        "intents are told from now on"
    );
    Ok(model)
}

fn embed(
    texts: &[&str],
    embedder: &EmbedderHandle,
    cache: Option<&VectorCache>,
) -> Result<Vec<Vec<f32>>, EmbedderError> {
    let mut known = HashMap::new();
    for text in texts {
        let hash = text_hash(text);
        if let Some(vector) = cache.and_then(|cache| cache.get(&hash)) {
            known.insert(*text, vector);
        }
    }
    let mut lacking: Vec<&str> =
        texts.iter().copied().filter(|text| !known.contains_key(text)).collect();
    lacking.sort_unstable();
    lacking.dedup();
    let mut new: Vec<(_, Vec<f32>)> = Vec::with_capacity(lacking.len());
    let mut outcome = Ok(());
    for some in lacking.chunks(AT_ONCE) {
        let owned: Vec<String> = some.iter().map(|text| (*text).to_owned()).collect();
        match embedder.embed_blocking(owned, Urgency::Background, EXAMPLE_PATIENCE) {
            Ok(made) => {
                new.extend(some.iter().map(|text| text_hash(text)).zip(made.iter().cloned()));
                known.extend(some.iter().copied().zip(made));
            }
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    // All of them are one file. Those of before a failure are there when it is tried again.
    if let Some(Err(error)) = cache.map(|cache| cache.add(&new)) {
        tracing::warn!(%error, "vectors of examples are made again at the next start");
    }
    outcome.map(|()| texts.iter().filter_map(|text| known.get(text).cloned()).collect())
}

/// What was learnt, a file for each list of examples. Without a folder nothing is kept.
struct Folder(Option<PathBuf>);

impl Folder {
    fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(folder.join(name)).map_err(|error| error.error)?;
        // Lists of long ago go.
        let mut all: Vec<_> = std::fs::read_dir(folder)?
            .filter_map(|entry| entry.ok())
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        for (_, old) in all.into_iter().skip(LISTS_MAX) {
            // Another process may have deleted it first.
            let _ = std::fs::remove_file(old);
        }
        Ok(())
    }
}

impl Shelf for Folder {
    fn find(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.as_ref()?.join(name)).ok()
    }

    fn keep(&self, name: &str, bytes: &[u8]) {
        let Some(folder) = &self.0 else { return };
        if let Err(error) = Self::write(folder, name, bytes) {
            tracing::warn!(%error, "intents are learnt again at the next start");
        }
    }
}

#[cfg(test)]
mod tests;
