//! What conversations tell of themselves, as the settings say: categories, sentiment, and intents, whose model is
//! trained at the start.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use include_dir::{Dir, include_dir};
use tokio::sync::watch;

use super::gaps::Meaning;
use crate::config::Config;
use crate::flow::driver::Intents;
use crate::flow::session::SignalSettings;
use crate::insight::categories::Categories;
use crate::insight::intent::{IntentFiles, IntentModel, parse, read};
use crate::knowledge::{VectorCache, cache_folder, text_hash};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Of the company that `serve --demo` plays.
static CATEGORIES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/categories");
static INTENTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/intents");

/// So many intents of a turn are told.
const TOP: usize = 3;
/// Examples that are embedded at once: so long a live turn may wait behind them.
const AT_ONCE: usize = 16;
/// A busy model is asked again.
const EXAMPLE_PATIENCE: Duration = Duration::from_secs(60);

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

/// Trains the model as soon as there are vectors, on a thread of its own; intents are told from then on.
pub(super) fn train(files: IntentFiles, mut meaning: watch::Receiver<Meaning>, intents: Intents) {
    tokio::spawn(async move {
        let embedder = loop {
            match meaning.borrow_and_update().clone() {
                Meaning::Known(embedder) => break embedder,
                Meaning::Missing => {
                    tracing::warn!("no intents are told: there is no embedding model");
                    return;
                }
                Meaning::Awaited => {}
            }
            if meaning.changed().await.is_err() {
                return;
            }
        };
        let trained = tokio::task::spawn_blocking(move || model(&files, &embedder)).await;
        match trained {
            Ok(Ok(model)) => {
                let model = Arc::new(model);
                intents.trained(Arc::new(move |text, vector| model.predict(text, vector, TOP)));
            }
            Ok(Err(error)) => tracing::error!(%error, "no intents are told"),
            Err(_) => tracing::error!("no intents are told: the training failed, which is a bug"),
        }
    });
}

/// Blocks for some seconds the first time; the examples' vectors are kept by what they say, so that later starts take
/// what the training itself does.
fn model(
    files: &IntentFiles,
    embedder: &EmbedderHandle,
) -> Result<IntentModel, crate::insight::intent::IntentError> {
    let begun = Instant::now();
    let cache = cache_folder(&|name| std::env::var(name).ok());
    let cache = cache.and_then(|folder| {
        VectorCache::open(&folder, embedder.fingerprint(), embedder.dimensions()).ok()
    });
    let examples = files.examples();
    let mut vectors = |texts: &[&str]| embed(texts, embedder, cache.as_ref());
    let model = IntentModel::train(&examples, &mut vectors)?;
    let (measures, ms) = (model.measures(), begun.elapsed().as_millis());
    tracing::info!(
        intents = model.labels().len(),
        examples = examples.len(),
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
    for some in lacking.chunks(AT_ONCE) {
        let owned: Vec<String> = some.iter().map(|text| (*text).to_owned()).collect();
        let made = embedder.embed_blocking(owned, Urgency::Background, EXAMPLE_PATIENCE)?;
        let new: Vec<_> = some.iter().map(|text| text_hash(text)).zip(made.clone()).collect();
        if let Some(Err(error)) = cache.map(|cache| cache.add(&new)) {
            tracing::warn!(%error, "vectors of examples are made again at the next start");
        }
        known.extend(some.iter().copied().zip(made));
    }
    Ok(texts.iter().filter_map(|text| known.get(text).cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_categories_and_a_company_has_what_it_names() {
        let none = Config::default();
        assert!(categories(&none, true).is_ok_and(|all| !all.rules().is_empty()));
        assert!(categories(&none, false).is_ok_and(|all| all.rules().is_empty()));
        assert!(intents(&none, true).is_ok(), "{:?}", intents(&none, true).err());
        assert!(intents(&none, false).is_ok_and(|files| files.is_none()));
        assert!(!signals(&none, false, false).expect("sound").tells_sentiment);
        assert!(signals(&none, false, true).expect("sound").tells_sentiment);
    }

    #[test]
    fn mistakes_name_file_line_and_field() {
        let (rules, list) = (tempfile::tempdir(), tempfile::tempdir());
        let (rules, list) = (rules.expect("a folder"), list.expect("a folder"));
        std::fs::write(rules.path().join("a.toml"), "[[rule]]\nid = \"a\"\nwhen = { sad = 1 }\n")
            .expect("written");
        std::fs::write(list.path().join("b.toml"), "[[intent]]\nexamples = []\n").expect("written");
        let mut config = Config::default();
        config.categories.folder = Some(rules.path().to_owned());
        config.intents.folder = Some(list.path().to_owned());
        let wrong = categories(&config, false).err().unwrap_or_default();
        assert!(wrong.contains("a.toml:3") && wrong.contains("rule[0].when"), "{wrong}");
        let wrong = intents(&config, false).err().unwrap_or_default();
        assert!(wrong.contains("b.toml:"), "{wrong}");
    }
}
