//! The model of the vectors, which is loaded while the service is at work already.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::EMBEDDER;
use super::feedback::FeedbackFeed;
use super::gaps::Meaning;
use super::notices::Notices;
use crate::knowledge::Library;
use crate::models;
use crate::models::minilm::{MiniLm, MiniLmFiles};

const EMBEDDER_QUEUE: usize = 64;
/// Reading the vectors of a small base takes no longer.
const SHORT: Duration = Duration::from_millis(300);
/// How the notice is called that stands while searches are by keywords.
pub(super) const WHAT: &str = "knowledge_vectors";

/// Makes searches hybrid, on a thread of its own, and says so when that takes a while. Tells whether there is a model.
/// Verdicts are fed in from then on: their questions need it, too.
pub(super) fn attach(
    library: Library,
    notices: Arc<Notices>,
    feed: Option<FeedbackFeed>,
) -> watch::Receiver<Meaning> {
    let runtime = tokio::runtime::Handle::current();
    let (tell, told) = watch::channel(Meaning::Awaited);
    let work = move || {
        let (articles, begun) = (library.articles().len(), Instant::now());
        let installed = match models::installed(EMBEDDER) {
            Ok(installed) => installed,
            Err(error) => {
                let detail = format!("search by keywords only: {error}");
                runtime.block_on(notices.degraded(WHAT, &detail));
                tell.send_replace(Meaning::Missing);
                return;
            }
        };
        let announce = |done: usize, all: usize| {
            if done < all && begun.elapsed() > SHORT && !notices.stands(WHAT) {
                let detail = format!(
                    "search by keywords only until {articles} articles are indexed by meaning"
                );
                runtime.block_on(notices.degraded(WHAT, &detail));
            }
        };
        let attached = MiniLm::open(&MiniLmFiles::in_folder(&installed.folder), 1)
            .map(|model| model.spawn(EMBEDDER_QUEUE))
            .and_then(|embedder| {
                library.attach_vectors(embedder.clone(), announce)?;
                Ok(embedder)
            });
        match attached {
            Ok(embedder) => {
                tell.send_replace(Meaning::Known(embedder.clone()));
                if let Some(feed) = feed {
                    runtime.spawn(feed.run(embedder));
                }
                runtime.block_on(notices.recovered(WHAT));
            }
            Err(error) => {
                tracing::error!(%error, "no search by meaning");
                let detail = format!("search by keywords only: {error}");
                tell.send_replace(Meaning::Missing);
                runtime.block_on(notices.degraded(WHAT, &detail));
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("vectors".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread for the vectors: search by keywords only");
    }
    told
}
