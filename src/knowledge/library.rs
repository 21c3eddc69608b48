//! The knowledge base as the rest of the house holds it.
//!
//! What is in force is a shelf; searches run over a snapshot of it. A change swaps both. A whole
//! snapshot takes longer than a change may, so the changed articles get a small one beside it at once,
//! and the large one follows on a thread of its own.

mod hold;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rayon::prelude::*;

pub use self::hold::Hold;
use super::article::{self, Written};
use super::cache::VectorCache;
use super::error::{ArticleError, KnowledgeError};
use super::feedback::Feedback;
use super::matrix::Maker;
use super::search::{self, SearchRequest, SearchResponse};
use super::snapshot::{Shelf, Shelved, Snapshot};
use super::source::Source;
use crate::domain::{Article, ArticleId, ArticleRevision, Citation};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// A change waits so long for its vectors; what is late is found by its words until then.
const CHANGE_PATIENCE: Duration = Duration::from_millis(600);
/// And so long the large index: thousands of new articles must not wait in the small one meanwhile.
const REBUILD_PATIENCE: Duration = Duration::from_secs(15);
/// So many more hits are looked at when some may have been taken back.
const SPARE_HITS: usize = 50;

#[derive(Clone, Debug)]
pub struct LibrarySettings {
    pub source: Source,
    /// The user's cache folder (see [`super::cache_folder`]); without one, vectors live in memory.
    pub cache: Option<PathBuf>,
    /// A live query's vector that takes longer is given up, and keywords answer alone.
    pub query_patience: Duration,
}

impl LibrarySettings {
    pub fn new(source: Source) -> Self {
        Self { source, cache: None, query_patience: Duration::from_secs(1) }
    }
}

/// What becomes of an article.
#[derive(Debug)]
pub enum Change {
    /// It is in force from now on, in place of what it said before.
    Publish(Box<Written>),
    Retire(ArticleId),
}

/// The knowledge base. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Shelves>);

struct Shelves {
    current: RwLock<Arc<State>>,
    /// Whoever makes a new state holds it.
    changing: Mutex<()>,
    is_rebuilding: AtomicBool,
    /// Some of what is in force has no vectors yet.
    is_patchy: AtomicBool,
    /// Grows when what is in force says something else, or can be compared with more of it.
    edition: AtomicU64,
    /// Held while something that cites the shelf is on its way to the log.
    citing: tokio::sync::RwLock<()>,
    /// The model of the vectors, once they are complete, and where they are kept.
    model: RwLock<Option<Model>>,
    /// What agents made of cards, if that counts.
    feedback: RwLock<Option<Arc<Feedback>>>,
    complaints: Vec<ArticleError>,
    settings: LibrarySettings,
}

#[derive(Clone)]
struct Model {
    embedder: EmbedderHandle,
    cache: Option<Arc<VectorCache>>,
}

struct State {
    shelf: Arc<Shelf>,
    main: Arc<Snapshot>,
    /// What came into force after `main` was made.
    fresh: Option<Arc<Snapshot>>,
}

impl State {
    fn snapshots(&self) -> Vec<&Snapshot> {
        std::iter::once(&*self.main).chain(self.fresh.as_deref()).collect()
    }

    /// Whether the large index is of all that is in force, and of nothing else.
    fn is_whole(&self) -> bool {
        self.fresh.is_none() && self.main.revisions.len() == self.shelf.len()
    }

    fn is_in_force(&self, article: &ArticleId, revision: u32) -> bool {
        self.shelf.get(article).is_some_and(|shelved| shelved.article.revision == revision)
    }
}

impl Library {
    /// Reads and indexes all articles; keyword search works when it returns. An article that can't
    /// be read is left out and named in [`Self::complaints`].
    ///
    /// # Errors
    /// When the folder can't be listed.
    pub fn open(settings: &LibrarySettings) -> Result<Self, KnowledgeError> {
        let mut articles: Vec<Written> = Vec::new();
        let mut complaints = Vec::new();
        for (file, text) in settings.source.files()? {
            match text.map_err(|reason| unreadable(&file, reason)) {
                Ok(text) => match article::read(&file, &text) {
                    Ok(article) => articles.push(Written::of_file(article)),
                    Err(complaint) => complaints.push(complaint),
                },
                Err(complaint) => complaints.push(complaint),
            }
        }
        Self::of(articles, |one| one, complaints, settings)
    }

    /// A library of ready articles; the settings' source is not looked at.
    ///
    /// # Errors
    /// When the index can't be built.
    pub fn of_with(
        articles: Vec<Article>,
        settings: &LibrarySettings,
    ) -> Result<Self, KnowledgeError> {
        let plain = |article: Article| {
            let asked_as = vec![Vec::new(); article.passages.len()];
            Written { article, asked_as }
        };
        Self::of(articles, plain, Vec::new(), settings)
    }

    /// A library of what the log holds; the settings' source is not looked at.
    ///
    /// # Errors
    /// When the index can't be built.
    pub fn of_revisions(
        revisions: &[Arc<ArticleRevision>],
        settings: &LibrarySettings,
    ) -> Result<Self, KnowledgeError> {
        let revisions = revisions.iter().collect();
        let written = |revision: &Arc<ArticleRevision>| Written::of_revision(revision);
        Self::of(revisions, written, Vec::new(), settings)
    }

    fn of<T: Send>(
        articles: Vec<T>,
        written: impl Fn(T) -> Written + Sync,
        complaints: Vec<ArticleError>,
        settings: &LibrarySettings,
    ) -> Result<Self, KnowledgeError> {
        // Nobody is served yet, so all cores are free.
        let (shelf, main) = on_threads(0, || {
            let shelved = articles.into_par_iter().map(|one| Arc::new(Shelved::of(written(one))));
            let shelved: Vec<Arc<Shelved>> = shelved.collect();
            let shelf: Shelf =
                shelved.into_iter().map(|one| (one.article.id.clone(), one)).collect();
            let main = Snapshot::build(shelf.values(), None);
            (shelf, main)
        })?;
        let state = State { shelf: Arc::new(shelf), main: Arc::new(main?), fresh: None };
        Ok(Self(Arc::new(Shelves {
            current: RwLock::new(Arc::new(state)),
            changing: Mutex::new(()),
            is_rebuilding: AtomicBool::new(false),
            is_patchy: AtomicBool::new(false),
            edition: AtomicU64::new(1),
            citing: tokio::sync::RwLock::new(()),
            model: RwLock::new(None),
            feedback: RwLock::new(None),
            complaints,
            settings: settings.clone(),
        })))
    }

    /// What was wrong with articles that are not here.
    pub fn complaints(&self) -> &[ArticleError] {
        &self.0.complaints
    }

    /// Embeds what the cache lacks, then makes searches hybrid. Blocks for as long as that takes
    /// (the sample base: about 2 s of one core the first time, milliseconds with a warm cache), so
    /// it belongs on a thread of its own. `progress` gets texts done and texts in all.
    ///
    /// # Errors
    /// When the model fails; searches stay on keywords. A cache that can't be read or written
    /// costs only time, and is logged.
    pub fn attach_vectors(
        &self,
        embedder: EmbedderHandle,
        progress: impl Fn(usize, usize),
    ) -> Result<(), EmbedderError> {
        let open = |folder: &PathBuf| {
            VectorCache::open(folder, embedder.fingerprint(), embedder.dimensions())
                .inspect_err(|error| tracing::warn!(%error, "no embedding cache"))
                .ok()
        };
        let cache = self.0.settings.cache.as_ref().and_then(open).map(Arc::new);
        let mut maker = Maker::new(&embedder, cache.as_deref());
        let mut changing = None;
        loop {
            let before = self.state();
            let mut with_vectors = Vec::new();
            for snapshot in before.snapshots() {
                let (rows, made) = maker.rows(snapshot, &progress);
                made?;
                with_vectors.push(snapshot.with_vectors(embedder.dimensions(), rows));
            }
            let _changing = changing.get_or_insert_with(|| self.change());
            // Articles may have changed meanwhile: then those are left, and no others come.
            if !Arc::ptr_eq(&before, &self.state()) {
                continue;
            }
            let mut with_vectors = with_vectors.into_iter().map(Arc::new);
            let Some(main) = with_vectors.next() else { return Ok(()) };
            let fresh = with_vectors.next();
            *self.0.model.write().unwrap_or_else(PoisonError::into_inner) =
                Some(Model { embedder: embedder.clone(), cache: cache.clone() });
            self.swap(State { shelf: Arc::clone(&before.shelf), main, fresh });
            self.next_edition();
            return Ok(());
        }
    }

    /// Puts articles into force and takes them back. What is taken back is never found again from
    /// here on; what is new can be found when this returns. Blocks for up to a second.
    ///
    /// # Errors
    /// When the index can't be built: then nothing new is found, and what was taken back isn't either.
    pub fn apply(&self, changes: Vec<Change>) -> Result<(), KnowledgeError> {
        let _changing = self.change();
        let state = self.state();
        let mut shelf = (*state.shelf).clone();
        let mut published: Vec<Arc<Shelved>> = Vec::new();
        for change in changes {
            match change {
                Change::Publish(written) => {
                    published.retain(|one| one.article.id != written.article.id);
                    published.push(Arc::new(Shelved::of(*written)));
                }
                Change::Retire(id) => {
                    published.retain(|one| one.article.id != id);
                    shelf.remove(&id);
                }
            }
        }
        let (main, fresh) = (Arc::clone(&state.main), state.fresh.clone());
        self.swap(State { shelf: Arc::new(shelf.clone()), main, fresh });
        shelf.extend(published.iter().map(|one| (one.article.id.clone(), Arc::clone(one))));
        if !published.is_empty() {
            let new = |one: &&Arc<Shelved>| !state.main.holds(&one.article);
            let newer = &mut shelf.values().filter(new);
            let main = Arc::clone(&state.main);
            let (fresh, lacks_some) =
                self.snapshot_of(newer, &state, Some(&main), CHANGE_PATIENCE)?;
            self.0.is_patchy.fetch_or(lacks_some, Ordering::AcqRel);
            self.swap(State { shelf: Arc::new(shelf), main, fresh: Some(fresh) });
        }
        self.next_edition();
        self.rebuild_soon();
        Ok(())
    }

    /// An index of these articles, with the vectors that can be had in time; and whether more of them
    /// could be had in more time.
    fn snapshot_of(
        &self,
        shelved: &mut dyn Iterator<Item = &Arc<Shelved>>,
        state: &State,
        beside: Option<&Snapshot>,
        patience: Duration,
    ) -> Result<(Arc<Snapshot>, bool), KnowledgeError> {
        let deadline = Instant::now() + patience;
        let shelved: Vec<&Arc<Shelved>> = shelved.collect();
        // The other cores are for those who are on the phone.
        let plain = on_threads(1, || Snapshot::build(shelved.into_iter(), beside))??;
        let Some(Model { embedder, cache }) = self.model() else {
            return Ok((Arc::new(plain), false));
        };
        let mut maker = Maker::new(&embedder, cache.as_deref());
        maker.deadline = Some(deadline);
        maker.remember(&state.snapshots(), &plain);
        let (rows, made) = maker.rows(&plain, &|_, _| ());
        if let Err(error) = &made {
            tracing::warn!(%error, "new articles are found by their words only");
        }
        let lacks_some = made.is_ok() && rows.iter().any(|rows| !rows.is_complete());
        Ok((Arc::new(plain.with_vectors(embedder.dimensions(), rows)), lacks_some))
    }

    /// Makes one index of everything, beside whatever goes on.
    fn rebuild_soon(&self) {
        if self.0.is_rebuilding.swap(true, Ordering::AcqRel) {
            return;
        }
        let library = self.clone();
        let work = move || {
            loop {
                let lacks_some = library.rebuild().inspect_err(|error| {
                    tracing::error!(%error, "the index of all articles was not made anew");
                });
                if let Ok(true) = lacks_some {
                    continue;
                }
                library.0.is_rebuilding.store(false, Ordering::Release);
                // Whoever came in between saw that somebody was at it.
                if lacks_some.is_err()
                    || library.state().is_whole()
                    || library.0.is_rebuilding.swap(true, Ordering::AcqRel)
                {
                    return;
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("shelves".to_owned()).spawn(work) {
            tracing::error!(%error, "no thread for the index of all articles");
            self.0.is_rebuilding.store(false, Ordering::Release);
        }
    }

    /// Returns whether vectors are still lacking that can be had.
    fn rebuild(&self) -> Result<bool, KnowledgeError> {
        loop {
            let before = self.state();
            let all = &mut before.shelf.values();
            let (main, lacks_some) = self.snapshot_of(all, &before, None, REBUILD_PATIENCE)?;
            let _changing = self.change();
            // The model came while this was made without it.
            if main.vectors.is_none() && self.model().is_some() {
                continue;
            }
            let now = self.state();
            let new = |one: &&Arc<Shelved>| !main.holds(&one.article);
            let fresh = match now.shelf.values().any(|one| new(&one)) {
                true => {
                    let newer = &mut now.shelf.values().filter(new);
                    Some(self.snapshot_of(newer, &now, Some(&main), CHANGE_PATIENCE)?.0)
                }
                false => None,
            };
            self.swap(State { shelf: Arc::clone(&now.shelf), main, fresh });
            if self.0.is_patchy.swap(lacks_some, Ordering::AcqRel) {
                self.next_edition();
            }
            return Ok(lacks_some);
        }
    }

    /// Another number than before: what was compared with the articles then must be compared anew.
    pub fn edition(&self) -> u64 {
        self.0.edition.load(Ordering::Acquire)
    }

    fn next_edition(&self) {
        self.0.edition.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether what was published last is in the one large index.
    pub fn is_settled(&self) -> bool {
        !self.0.is_rebuilding.load(Ordering::Acquire) && self.state().is_whole()
    }

    /// Whether a citation is of what is in force at this moment.
    pub fn stands(&self, cited: &Citation) -> bool {
        self.state().is_in_force(&cited.article_id, cited.revision)
    }

    pub fn vectors_complete(&self) -> bool {
        self.state().main.vectors.is_some()
    }

    /// Blocks for a few milliseconds and for the query's embedding: call it off the async runtime.
    ///
    /// # Errors
    /// When the index fails. A model that is late or gone only makes the response `degraded`.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResponse, KnowledgeError> {
        let embedder = self.embedder();
        // Both indexes ask for the same vectors.
        let known = request.known.iter();
        let known = known.map(|(text, vector)| (vec![text.clone()], vec![vector.clone()]));
        let made: RefCell<HashMap<Vec<String>, Vec<Vec<f32>>>> = RefCell::new(known.collect());
        let embed = |texts: Vec<String>| {
            if let Some(vectors) = made.borrow().get(&texts) {
                return Ok(vectors.clone());
            }
            let embedder = embedder.as_ref().ok_or(EmbedderError::Stopped)?;
            let patience = self.0.settings.query_patience;
            let vectors = embedder.embed_blocking(texts.clone(), Urgency::Live, patience)?;
            made.borrow_mut().insert(texts, vectors.clone());
            Ok(vectors)
        };
        let state = self.state();
        let feedback = self.feedback();
        let search = |snapshot: &Snapshot, request: &SearchRequest| {
            search::search(snapshot, request, feedback.as_deref(), &embed)
        };
        if state.is_whole() {
            return search(&state.main, request);
        }
        let mut wider = request.clone();
        wider.limit += SPARE_HITS;
        let mut found = search(&state.main, &wider)?;
        if let Some(fresh) = &state.fresh {
            let newer = search(fresh, request)?;
            found.degraded |= newer.degraded;
            found.hits.extend(newer.hits);
            found.hits.sort_by(|a, b| {
                b.features.exact.cmp(&a.features.exact).then(b.score.total_cmp(&a.score))
            });
        }
        found.hits.retain(|hit| state.is_in_force(&hit.article.id, hit.article.revision));
        let mut rank = 0;
        found.hits.retain(|hit| {
            rank += 1;
            rank <= request.limit || request.also.contains(&hit.article.id)
        });
        Ok(found)
    }

    /// Ranks by these verdicts from the next search on; `None`: by none.
    pub fn heed(&self, feedback: Option<Arc<Feedback>>) {
        *self.0.feedback.write().unwrap_or_else(PoisonError::into_inner) = feedback;
    }

    fn feedback(&self) -> Option<Arc<Feedback>> {
        self.0.feedback.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The model of the vectors, once they are complete.
    pub fn embedder(&self) -> Option<EmbedderHandle> {
        self.model().map(|model| model.embedder)
    }

    fn model(&self) -> Option<Model> {
        self.0.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn article(&self, id: &ArticleId) -> Option<Arc<Article>> {
        self.state().shelf.get(id).map(|shelved| Arc::clone(&shelved.article))
    }

    /// All articles in the order of their ids.
    pub fn articles(&self) -> Vec<Arc<Article>> {
        self.state().shelf.values().map(|shelved| Arc::clone(&shelved.article)).collect()
    }

    /// What a look at each index finds of what is in force by now.
    pub(super) fn look<T>(
        &self,
        at: impl Fn(&Snapshot) -> Vec<T>,
        article: impl Fn(&T) -> &Article,
    ) -> Vec<T> {
        let state = self.state();
        let mut found: Vec<T> = state.snapshots().into_iter().flat_map(at).collect();
        found.retain(|one| state.is_in_force(&article(one).id, article(one).revision));
        found
    }

    fn state(&self) -> Arc<State> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn swap(&self, state: State) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works on a pool of so many threads; 0 is one for each core.
fn on_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, KnowledgeError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    Ok(pool.install(work))
}

fn unreadable(file: &str, reason: String) -> ArticleError {
    ArticleError { file: file.into(), line: 1, field: "file".into(), reason }
}

#[cfg(test)]
mod tests;
