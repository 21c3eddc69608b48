//! What is drafted and not yet decided about: ten calls about one new thing are one draft.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::domain::{ArticleId, ArticleState, TenantId};
use crate::flow::wrapup::compare::{Compared, Comparer, DraftText, Scope};
use crate::knowledge::{Change, Library, LibrarySettings, Source, Written};
use crate::models::embedder::EmbedderHandle;
use crate::serve::Failure;
use crate::store::{ArticleLog, ArticleQuery};

use super::{failed, no_vectors};
use crate::app::blocking::blocking;

/// The drafts as a base of their own, brought up to the log before each look. Nobody can search it.
#[derive(Default)]
pub(super) struct Drafts {
    shelf: Option<Library>,
    /// The revision of each draft on the shelf.
    known: HashMap<ArticleId, u32>,
}

impl Drafts {
    /// Compares with all that is in review or a draft.
    ///
    /// # Errors
    /// The log can't be read, or the model is late or gone.
    pub async fn compare(
        &mut self,
        log: &dyn ArticleLog,
        tenant: &TenantId,
        embedder: EmbedderHandle,
        (text, scope): (DraftText, Scope),
    ) -> Result<Compared, Failure> {
        let (changes, open) = self.changes(log, tenant).await?;
        // Taken away until it is done: whoever asks may go before that, and then the next look begins anew.
        let before = std::mem::take(self);
        let (shelf, compared) = blocking(move || {
            let shelf = match before.shelf {
                Some(shelf) => shelf,
                None => {
                    let nowhere = LibrarySettings::new(Source::Folder(PathBuf::new()));
                    let shelf = Library::of_revisions(&[], &nowhere);
                    let shelf = shelf.map_err(|error| Failure::of(&error))?;
                    let attached = shelf.attach_vectors(embedder, |_, _| ());
                    attached.map_err(|error| Failure::of(&error))?;
                    shelf
                }
            };
            if !changes.is_empty() {
                shelf.apply(changes).map_err(|error| Failure::of(&error))?;
            }
            let comparer = Comparer::new(&shelf).ok_or_else(no_vectors)?.within(scope);
            let compared = comparer.compare(&text).map_err(|error| Failure::of(&error));
            // What is on the shelf is there, whatever became of the comparison.
            Ok((shelf, compared))
        })
        .await?;
        *self = Self { shelf: Some(shelf), known: open };
        compared
    }

    pub fn revision(&self, id: &ArticleId) -> u32 {
        self.known.get(id).copied().unwrap_or_default()
    }

    /// What has to be put on the shelf and taken off it, and what is on it then.
    async fn changes(
        &self,
        log: &dyn ArticleLog,
        tenant: &TenantId,
    ) -> Result<(Vec<Change>, HashMap<ArticleId, u32>), Failure> {
        let mut open: HashMap<ArticleId, u32> = HashMap::new();
        for state in [ArticleState::InReview, ArticleState::Draft] {
            let mut query = ArticleQuery::all(tenant.clone());
            query.state = Some(state);
            loop {
                let page = log.articles(&query).await.map_err(failed)?;
                open.extend(page.items.into_iter().map(|row| (row.id, row.number)));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
        }
        let gone = self.known.keys().filter(|id| !open.contains_key(*id));
        let mut changes: Vec<Change> = gone.cloned().map(Change::Retire).collect();
        for (id, number) in &open {
            if self.known.get(id) == Some(number) {
                continue;
            }
            let revision = log.revision(tenant, id, *number).await.map_err(failed)?;
            changes
                .extend(revision.map(|one| Change::Publish(Box::new(Written::of_revision(&one)))));
        }
        Ok((changes, open))
    }
}
