//! What drafts say that can't be true together with what is published.
//!
//! A comparison holds for one revision of the draft and one edition of the library. What is asked about one
//! draft is compared then and there if need be; lists show what is known, and a task behind them sees to
//! it that this is all, some tenths of a second after each change.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use tokio::sync::Mutex as Turnstile;
use tokio_util::sync::CancellationToken;

use super::blocking::blocking;
use crate::bus::{Bus, Heard, Signal, Subscription};
use crate::domain::{ArticleContent, ArticleId, ArticleRevision, ArticleState, TenantId};
use crate::flow::wrapup::compare::{Comparer, Contradiction, DraftText, Scope};
use crate::knowledge::{Library, passages_of, sentences};
use crate::models::embedder::EmbedderError;
use crate::serve::{ArticleConflict, Conflicts, Failure};
use crate::store::{ArticleLog, ArticleQuery, ArticleRow, StoreError};

/// Of a longer draft only the first are compared.
const SENTENCES: usize = 300;
/// Changes come in bursts: so long is waited for the rest of one.
const BURST: Duration = Duration::from_millis(200);
/// Who opens a draft waits no longer for its conflicts: they come with the next look.
const PATIENCE: Duration = Duration::from_secs(3);
/// The library may know more without a change of an article: vectors that were late.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The draft's revision, the library's edition, and the day: articles end.
type Key = (u32, u64, Date);
/// What was found, of which revision and when.
type Known = HashMap<ArticleId, (Key, Arc<[ArticleConflict]>)>;

/// See the module's text. Cheap to clone.
#[derive(Clone)]
pub struct ConflictBook(Arc<Book>);

struct Book {
    library: Library,
    log: Arc<dyn ArticleLog>,
    tenant: TenantId,
    known: Mutex<Known>,
    /// One comparison at a time: callers are on the phone.
    turn: Turnstile<()>,
}

impl ConflictBook {
    /// `tenant` is whose articles are in the library.
    pub fn new(library: Library, log: Arc<dyn ArticleLog>, tenant: TenantId) -> Self {
        let (known, turn) = (Mutex::default(), Turnstile::default());
        Self(Arc::new(Book { library, log, tenant, known, turn }))
    }

    /// Keeps what lists show up to date until it is told to stop.
    pub async fn keep_up(self, bus: Arc<dyn Bus>, stop: CancellationToken) {
        let mut subscription = bus.subscribe();
        let mut seen = None;
        let work = async {
            loop {
                let log = &self.0.log;
                let today = jiff::Zoned::now().date();
                let newest = log.newest_revision().await;
                let newest = newest
                    .inspect_err(|error| tracing::warn!(%error, "the newest article is not known"))
                    .ok();
                let now = newest.map(|newest| (self.0.library.edition(), newest, today));
                if now.is_some() && now != seen && self.0.library.vectors_complete() {
                    match self.sweep().await {
                        Ok(true) => seen = now,
                        Ok(false) => {}
                        Err(error) => tracing::warn!(%error, "drafts are not compared"),
                    }
                }
                if !self.hear(&mut *subscription).await {
                    return;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
    }

    /// Waits until an article changes, or for a while; false when nothing will.
    async fn hear(&self, subscription: &mut dyn Subscription) -> bool {
        let heard = async {
            loop {
                match subscription.next().await {
                    Heard::Signal(Signal::Event(event))
                        if event.tenant == self.0.tenant && event.kind.starts_with("article.") =>
                    {
                        tokio::time::sleep(BURST).await;
                        return true;
                    }
                    Heard::Signal(_) => {}
                    Heard::Lagged(_) => return true,
                    Heard::Closed => return false,
                }
            }
        };
        tokio::time::timeout(LOOK_AGAIN, heard).await.unwrap_or(true)
    }

    /// Compares all drafts that have changed, or all if the library has. Tells whether none is left.
    async fn sweep(&self) -> Result<bool, StoreError> {
        let book = &self.0;
        let mut open: HashSet<ArticleId> = HashSet::new();
        let mut is_whole = true;
        for state in [ArticleState::InReview, ArticleState::Draft] {
            let mut query = ArticleQuery::all(book.tenant.clone());
            query.state = Some(state);
            loop {
                let page = book.log.articles(&query).await?;
                for row in page.items {
                    open.insert(row.id.clone());
                    if self.count(&book.tenant, &row).is_some() {
                        continue;
                    }
                    let found = book.log.revision(&book.tenant, &row.id, row.number).await?;
                    if let Some(revision) = found {
                        is_whole &= self.compared(&book.tenant, &row, &revision).await.is_some();
                    }
                }
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
        }
        book.known().retain(|id, _| open.contains(id));
        Ok(is_whole)
    }
}

impl Book {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, revision: u32) -> Key {
        (revision, self.library.edition(), jiff::Zoned::now().date())
    }

    fn found(&self, id: &ArticleId, key: Key) -> Option<Arc<[ArticleConflict]>> {
        self.known().get(id).filter(|(at, _)| *at == key).map(|(_, found)| Arc::clone(found))
    }
}

/// Whether somebody may still decide about this revision.
fn is_open(tenant: &TenantId, book: &Book, row: &ArticleRow) -> bool {
    let is_draft = matches!(row.state(), ArticleState::Draft | ArticleState::InReview);
    *tenant == book.tenant && is_draft && book.library.vectors_complete()
}

impl ConflictBook {
    async fn compared(
        &self,
        tenant: &TenantId,
        row: &ArticleRow,
        revision: &ArticleRevision,
    ) -> Option<Arc<[ArticleConflict]>> {
        let book = &self.0;
        if row.number != revision.number || !is_open(tenant, book, row) {
            return None;
        }
        let _turn = match book.found(&row.id, book.key(row.number)) {
            Some(found) => return Some(found),
            None => book.turn.lock().await,
        };
        // Before the comparison: what changes meanwhile is compared again.
        let key = book.key(row.number);
        if let Some(found) = book.found(&row.id, key) {
            return Some(found);
        }
        let (library, id) = (book.library.clone(), row.id.clone());
        let content = Arc::clone(&revision.content);
        let compared = blocking(move || {
            conflicts(&library, &id, &content, key.2).map_err(|error| Failure::of(&error))
        });
        match compared.await {
            Ok(found) => {
                let found: Arc<[ArticleConflict]> = found.into();
                book.known().insert(row.id.clone(), (key, Arc::clone(&found)));
                Some(found)
            }
            Err(error) => {
                tracing::warn!(article = %row.id, %error, "a draft is not compared");
                None
            }
        }
    }
}

#[async_trait]
impl Conflicts for ConflictBook {
    async fn of(
        &self,
        tenant: &TenantId,
        row: &ArticleRow,
        revision: &ArticleRevision,
    ) -> Option<Arc<[ArticleConflict]>> {
        let compared = self.compared(tenant, row, revision);
        tokio::time::timeout(PATIENCE, compared).await.ok().flatten()
    }

    fn count(&self, tenant: &TenantId, row: &ArticleRow) -> Option<usize> {
        let book = &self.0;
        let found = is_open(tenant, book, row).then(|| book.found(&row.id, book.key(row.number)));
        found.flatten().map(|found| found.len())
    }
}

/// Sentences of a draft that contradict what is published in other articles. What its own article says
/// in force is what it changes, and is not looked at.
fn conflicts(
    library: &Library,
    id: &ArticleId,
    content: &ArticleContent,
    today: Date,
) -> Result<Vec<ArticleConflict>, EmbedderError> {
    let scope = Scope {
        except: Some(id.clone()),
        language: Some(content.language.clone()),
        on: Some(today),
    };
    let Some(comparer) = Comparer::new(library) else { return Err(EmbedderError::Stopped) };
    let comparer = comparer.within(scope);
    let in_force: HashSet<String> = library.article(id).map_or_else(HashSet::new, |article| {
        let texts = article.passages.iter().map(|passage| &passage.text);
        texts.flat_map(|text| plain_sentences(text)).collect()
    });
    let mut found = Vec::new();
    let mut left = SENTENCES;
    for passage in passages_of(id, content.title.as_str(), content.body.as_str()) {
        let mut answer = plain_sentences(&passage.text);
        answer.retain(|sentence| !in_force.contains(sentence));
        answer.truncate(left);
        left -= answer.len();
        if answer.is_empty() {
            continue;
        }
        let draft = DraftText { question: passage.heading, answer };
        let contradictions = comparer.contradictions(&draft)?;
        found.extend(contradictions.into_iter().map(|one| shown(&draft, &one)));
    }
    Ok(found)
}

fn plain_sentences(text: &str) -> Vec<String> {
    let plain = |sentence: &str| sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    sentences(text).into_iter().map(|span| plain(span.slice(text))).collect()
}

fn shown(draft: &DraftText, one: &Contradiction) -> ArticleConflict {
    let published = &one.published;
    ArticleConflict {
        kind: one.kind.as_str(),
        sentence: draft.answer.get(one.sentence).cloned().unwrap_or_default(),
        article_id: published.article.id.to_string(),
        article_title: published.article.title.clone(),
        heading: published.passage().heading.clone(),
        published_sentence: published.text().split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
