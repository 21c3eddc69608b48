//! Whether the log can be written at the moment.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::store::StoreError;

/// Nothing can be written since then.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub since: Timestamp,
    pub why: StoreError,
}

/// Shared between the writer, which knows, and whoever asks.
#[derive(Clone, Default)]
pub struct Troubles(Arc<Mutex<Option<Trouble>>>);

impl Troubles {
    pub fn now(&self) -> Option<Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn is_some(&self) -> bool {
        self.now().is_some()
    }

    pub fn begin(&self, why: &StoreError) {
        let mut here = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match here.as_mut() {
            Some(trouble) => trouble.why = why.clone(),
            None => *here = Some(Trouble { since: Timestamp::now(), why: why.clone() }),
        }
        metrics::gauge!("backchannel_store_failing").set(1.0);
    }

    pub fn end(&self) {
        if let Some(trouble) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let seconds = Timestamp::now().duration_since(trouble.since).as_secs();
            tracing::warn!(seconds, "the event log can be written again");
            metrics::gauge!("backchannel_store_failing").set(0.0);
        }
    }
}
