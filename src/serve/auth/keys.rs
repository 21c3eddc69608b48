//! API keys that are made and revoked while the service runs: `bck_<id>_<secret>`.
//!
//! The id finds the key, the hash of the whole proves it, in constant time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use rand::Rng as _;
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::{Principal, fresh_secret, hash_of};
use crate::store::access::KeyRow;

const PREFIX: &str = "bck_";
/// Letters only, so that nobody takes it for a number that has to be masked.
const ID_LETTERS: usize = 10;

/// A key at the one moment at which it is known.
pub struct MadeKey {
    pub id: String,
    /// To be shown once.
    pub key: String,
    pub hash: [u8; 32],
}

impl MadeKey {
    pub fn fresh() -> Self {
        let mut random = rand::rng();
        let id: String = (0..ID_LETTERS).map(|_| random.random_range('a'..='z')).collect();
        let key = fresh_secret(&format!("{PREFIX}{id}_"));
        Self { hash: hash_of(&key), id, key }
    }
}

/// The keys as the file has them. Cheap to clone.
#[derive(Clone, Default)]
pub struct KeyRing(Arc<Ring>);

#[derive(Default)]
struct Ring {
    by_id: RwLock<HashMap<String, KeyRow>>,
    used: Mutex<HashMap<String, Timestamp>>,
    changed: watch::Sender<()>,
}

impl KeyRing {
    /// Takes the place of all keys that were there.
    pub fn replace(&self, rows: Vec<KeyRow>) {
        let rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        *self.0.by_id.write().unwrap_or_else(PoisonError::into_inner) = rows;
        self.0.changed.send_replace(());
    }

    /// Tells that keys came or went.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// When keys were used since this was last asked.
    pub fn take_used(&self) -> Vec<(String, Timestamp)> {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.drain().collect()
    }

    pub(super) fn find(&self, key: &str) -> Option<(String, Principal)> {
        let (id, _) = key.strip_prefix(PREFIX)?.split_once('_')?;
        let now = Timestamp::now();
        let by_id = self.0.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let row = by_id.get(id).filter(|row| row.is_good_at(now))?;
        if !bool::from(row.hash.ct_eq(&hash_of(key))) {
            return None;
        }
        let principal = Principal::new(row.name.clone(), row.role, row.tenant.clone());
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(id.to_owned(), now);
        Some((id.to_owned(), principal))
    }

    pub(super) fn holds(&self, id: &str) -> bool {
        let by_id = self.0.by_id.read().unwrap_or_else(PoisonError::into_inner);
        by_id.get(id).is_some_and(|row| row.is_good_at(Timestamp::now()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::AccessRole;

    fn row(made: &MadeKey) -> KeyRow {
        KeyRow {
            id: made.id.clone(),
            name: "Ada".to_owned(),
            tenant: "demo".into(),
            role: AccessRole::Supervisor,
            hash: made.hash,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_key_opens_until_it_is_revoked_or_over() {
        let (ring, made) = (KeyRing::default(), MadeKey::fresh());
        assert!(ring.find(&made.key).is_none(), "it isn't known yet");
        ring.replace(vec![row(&made)]);
        let (id, principal) = ring.find(&made.key).expect("it opens");
        assert_eq!((id.as_str(), principal.name.as_str()), (made.id.as_str(), "Ada"));
        assert_eq!(ring.take_used().len(), 1);
        assert_eq!(ring.take_used().len(), 0);

        let other = MadeKey::fresh();
        let mixed = format!("{PREFIX}{}_{}", made.id, other.key.rsplit_once('_').expect("").1);
        for wrong in [mixed.as_str(), &made.key[..made.key.len() - 1], &made.id, "bck__", ""] {
            assert!(ring.find(wrong).is_none(), "{wrong}");
        }
        let now = Timestamp::now();
        let mut changes = ring.changes();
        for ended in [
            KeyRow { revoked_at: Some(now), ..row(&made) },
            KeyRow { expires_at: Some(now), ..row(&made) },
        ] {
            ring.replace(vec![ended]);
            assert!(changes.has_changed().expect("the ring lives"), "streams hear of it");
            changes.mark_unchanged();
            assert!(ring.find(&made.key).is_none() && !ring.holds(&made.id));
        }
    }

    proptest! {
        #[test]
        fn nothing_else_opens(text in "\\PC{0,80}", tail in "\\PC{0,60}") {
            let (ring, made) = (KeyRing::default(), MadeKey::fresh());
            ring.replace(vec![row(&made)]);
            prop_assert!(ring.find(&text).is_none());
            let guessed = format!("{PREFIX}{}_{}", made.id, tail);
            prop_assert!(guessed == made.key || ring.find(&guessed).is_none());
        }
    }
}
