//! Citing what is in force, while nobody takes it back.

use std::sync::Arc;

use super::{Library, State};
use crate::domain::{ArticleId, Citation, EventBody};

/// While it is held, nothing that [`Self::allows`] is taken back.
pub struct Hold<'a> {
    state: Arc<State>,
    _guard: tokio::sync::RwLockReadGuard<'a, ()>,
}

impl Hold<'_> {
    /// Whether all that an event cites is in force, word for word.
    pub fn allows(&self, event: &EventBody) -> bool {
        event.citations().into_iter().all(|cited| self.stands(cited))
    }

    pub fn stands(&self, cited: &Citation) -> bool {
        self.state.is_in_force(&cited.article_id, cited.revision)
    }

    pub fn has(&self, article: &ArticleId) -> bool {
        self.state.shelf.contains_key(article)
    }
}

impl Library {
    /// Keeps what is in force in force until it is dropped: held while something that cites is made
    /// durable.
    pub async fn hold(&self) -> Hold<'_> {
        let guard = self.0.citing.read().await;
        Hold { state: self.state(), _guard: guard }
    }

    /// Waits for those that hold: what was taken back before is in no event after this.
    pub async fn let_go(&self) {
        drop(self.0.citing.write().await);
    }
}
