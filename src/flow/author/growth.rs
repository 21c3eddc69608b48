//! A draft is shown while a model writes it: whole sentences, and only those that stand.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::assemble::Sources;
use super::{Commission, assemble, form, on_a_thread};
use crate::domain::{Authorship, WrapUp, WrapUpId};
use crate::models::Piece;

/// Told a draft as far as it is written and proven, and `None` when what was shown won't come. It must
/// not wait.
pub type OnGrowth = Arc<dyn Fn(&WrapUpId, Option<&WrapUp>) + Send + Sync>;

/// What a model has said so far. Whoever shows it looks when it can: what it has not looked at is
/// superseded.
pub(super) struct Said(watch::Sender<String>);

impl Said {
    pub fn new() -> (Self, watch::Receiver<String>) {
        let (said, heard) = watch::channel(String::new());
        (Self(said), heard)
    }

    pub fn take(&self, piece: &Piece<'_>) {
        self.0.send_if_modified(|text| match piece {
            Piece::Text(more) => {
                text.push_str(more);
                // Nothing is finished before a brace closes.
                more.contains('}')
            }
            Piece::Restart => {
                text.clear();
                true
            }
        });
    }
}

/// What is on the screens. When the writing ends without a draft, it is taken away.
pub(super) struct Shown {
    id: WrapUpId,
    on_growth: OnGrowth,
    is_there: Mutex<bool>,
}

impl Shown {
    pub fn new(id: WrapUpId, on_growth: OnGrowth) -> Self {
        Self { id, on_growth, is_there: Mutex::new(false) }
    }

    fn show(&self, draft: Option<&WrapUp>) {
        let mut is_there = self.is_there.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_there || draft.is_some() {
            *is_there = draft.is_some();
            (self.on_growth)(&self.id, draft);
        }
    }

    /// The draft itself comes now.
    pub fn leave(&self) {
        *self.is_there.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.show(None);
    }
}

/// Shows what grows until it is dropped.
pub(super) async fn watch(
    mut heard: watch::Receiver<String>,
    commission: &Commission,
    first: &WrapUp,
    sources: &Arc<Sources>,
    authorship: Authorship,
    shown: &Shown,
) -> Infallible {
    let first = WrapUp { authorship, ..first.clone() };
    let (mut last, mut before) = (String::new(), None);
    while heard.changed().await.is_ok() {
        let text = heard.borrow_and_update().clone();
        let so_far = form::so_far(&text).unwrap_or_default();
        if so_far == last {
            continue;
        }
        last = so_far.clone();
        if so_far.is_empty() {
            shown.show(None);
            before = None;
            continue;
        }
        let (commission, first) = (commission.clone(), first.clone());
        let sources = Arc::clone(sources);
        let check = move || assemble::so_far(&commission, &first, &so_far, &sources);
        if let Ok(Some(draft)) = on_a_thread(check).await
            && before.as_ref() != Some(&draft)
        {
            shown.show(Some(&draft));
            before = Some(draft);
        }
    }
    // The writer is done, and whoever drops this knows.
    std::future::pending().await
}
