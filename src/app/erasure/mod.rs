//! Erasing what is a contact's, and what is older than it may be.
//!
//! `find` says which conversations are a contact's, the store erases them in steps, and what was made of them beside
//! the log is thrown away or made anew: the questions of `gaps.sqlite`, what the router has, the output of batches. The
//! certificate says what went, and what can't be reached from here.

mod door;
mod find;
mod owed;
mod retention;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::door::ErasureDoor;
pub(super) use self::door::{Running, start};
pub use self::find::parse;
pub use self::retention::{Gone, OldBatches, Sweep};
use crate::domain::{
    AuditActor, AuditEntry, AuditOutcome, Classify, ContactKey, ConversationId, ErrorKind,
    EventBody, EventId, NewEvent, TenantId,
};
use crate::serve::{Asked, Certificate, Content, Counts};
use crate::store::codec::time_text;
use crate::store::erasure::{Erased, Erasure, Reach};
use crate::store::{EventLog, Place, Store as _, StoreError, backup};

/// A step takes about so many events; appends wait as long.
const STEP_EVENTS: u64 = 2_000;
/// So many conversations that are still going on are named.
const NAMED: usize = 10;

/// Whom to erase, and who asks.
pub struct Wanted {
    pub tenant: TenantId,
    pub contacts: Vec<ContactKey>,
    /// Conversations that nothing else says are theirs.
    pub conversations: Vec<ConversationId>,
    /// ISO 3166-1: where numbers without a country code are.
    pub region: String,
    pub by: AuditActor,
    /// Only says what would go.
    pub dry_run: bool,
}

/// Why nothing was erased, or not everything: then it is asked for again.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("name a contact or a conversation")]
    Nobody,
    #[error("there is no conversation {0}")]
    NoConversation(ConversationId),
    #[error("still going on: {0}; end them first, or wait, and ask again")]
    StillLive(String),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
}

impl Classify for ErasureError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Nobody => ErrorKind::Invalid,
            Self::NoConversation(_) => ErrorKind::NotFound,
            Self::StillLive(_) => ErrorKind::Conflict,
            Self::Io { .. } => ErrorKind::Unavailable,
        }
    }
}

/// Batches that are gone, or would go, by their identifiers.
#[derive(Debug, Default)]
pub struct BatchesGone {
    pub removed: Vec<String>,
    /// Others' lines of these stay.
    pub cut: Vec<String>,
    /// These may yet write of them.
    pub running: Vec<String>,
}

/// What is made of the log and stands beside it, as it is where somebody erases.
#[async_trait]
pub trait Beside: Send + Sync {
    /// The data folder, also where the log is in a database.
    fn folder(&self) -> &Path;

    /// Lets go of what is made of the log, and makes it anew: the questions that weren't answered, what the router has.
    async fn forget_made(&self, tenant: &TenantId) -> Result<(), ErasureError>;

    /// Takes what batches say of these conversations out of their output, or removes them where that can't be done.
    async fn forget_batches(
        &self,
        tenant: &TenantId,
        conversations: &[ConversationId],
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError>;
}

/// Where no service runs: files of the data folder.
pub struct Files {
    pub folder: PathBuf,
}

/// Each is made again from the log, or begins anew.
const MADE_AGAIN: [&str; 4] = ["gaps.sqlite", "gaps.sqlite-wal", "gaps.sqlite-shm", "routing.json"];

#[async_trait]
impl Beside for Files {
    fn folder(&self) -> &Path {
        &self.folder
    }

    async fn forget_made(&self, _: &TenantId) -> Result<(), ErasureError> {
        for name in MADE_AGAIN {
            let path = self.folder.join(name);
            match tokio::fs::remove_file(&path).await {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ErasureError::Io { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn forget_batches(
        &self,
        tenant: &TenantId,
        conversations: &[ConversationId],
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError> {
        let folder = self.folder.join("batches");
        super::batches::forget(&folder, tenant, conversations, dry_run).await
    }
}

#[async_trait]
impl OldBatches for Files {
    async fn expire(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError> {
        super::batches::expire(&self.folder.join("batches"), tenant, before, dry_run).await
    }
}

/// Erases, or only says what would go.
///
/// # Errors
/// A conversation of theirs is still going on, or a file can't be written. What went until then is gone; it is asked
/// for again.
pub async fn erase(
    log: &EventLog,
    place: &Place,
    beside: &dyn Beside,
    wanted: Wanted,
) -> Result<Certificate, ErasureError> {
    let begun_at = Timestamp::now();
    if wanted.contacts.is_empty() && wanted.conversations.is_empty() {
        return Err(ErasureError::Nobody);
    }
    let who = find::Who { contacts: &wanted.contacts, region: &wanted.region };
    let mut found = find::Found::default();
    if !wanted.contacts.is_empty() {
        found = find::of_contact(log, &wanted.tenant, &who).await?;
    }
    found.conversations.extend(wanted.conversations.iter().cloned());
    find::of_work(log, &wanted.tenant, &mut found).await?;
    let steps = steps(log, &wanted, &found).await?;

    let mut erased = Erased::default();
    for step in &steps {
        erased.add(log.would_erase(step).await?);
    }
    let conversations: Vec<ConversationId> = found.conversations.iter().cloned().collect();
    // Before the log: when that is erased, nothing says any more whose conversations they were.
    let batches = beside.forget_batches(&wanted.tenant, &conversations, wanted.dry_run).await?;
    let mut audit_event = None;
    if !wanted.dry_run {
        let note = note(&wanted, &erased, begun_at);
        audit_event = Some(note.id.to_string());
        // With the first step: what is erased is never without its entry.
        let mut notes = Some(note);
        erased = Erased::default();
        owed::owe(beside.folder(), &wanted.tenant).await?;
        for step in steps {
            erased.add(log.erase(step, notes.take().into_iter().collect()).await?);
        }
        owed::settle(log, beside).await?;
    }
    let content = Content {
        version: 1,
        program: format!("backchannel {}", env!("CARGO_PKG_VERSION")),
        tenant: wanted.tenant.to_string(),
        contacts: wanted.contacts.iter().map(Asked::from).collect(),
        by: wanted.by.name,
        begun_at: time_text(begun_at),
        done_at: time_text(Timestamp::now()),
        dry_run: wanted.dry_run,
        conversations: conversations.iter().map(ToString::to_string).collect(),
        events: found.events.into_iter().collect(),
        erased: Counts::of(&erased, (batches.removed.len() + batches.cut.len()) as u64),
        drafts: erased.drafts.into_iter().collect(),
        articles: erased.articles.into_iter().collect(),
        running_batches: batches.running,
        elsewhere: erased.elsewhere,
        remains: remains(place, beside.folder()),
        audit_event,
        head: log.log_head().await?.to_string(),
    };
    Ok(content.into())
}

/// All conversations in steps; at least one, which tells of the rest.
async fn steps(
    log: &EventLog,
    wanted: &Wanted,
    found: &find::Found,
) -> Result<Vec<Erasure>, ErasureError> {
    let step = || Erasure {
        tenant: wanted.tenant.clone(),
        conversations: Vec::new(),
        reach: Reach::Whole,
        events: Vec::new(),
        at: Timestamp::now(),
    };
    let mut steps = vec![Erasure { events: found.events.iter().copied().collect(), ..step() }];
    let (mut live, mut events) = (Vec::new(), 0);
    for id in &found.conversations {
        let row = log.conversation(&wanted.tenant, id).await?;
        let row = row.ok_or_else(|| ErasureError::NoConversation(id.clone()))?;
        if row.state == crate::store::ConversationState::Live {
            live.push(id.to_string());
        }
        if events > 0 && events + row.last_sequence > STEP_EVENTS {
            steps.push(step());
            events = 0;
        }
        events += row.last_sequence;
        if let Some(last) = steps.last_mut() {
            last.conversations.push(id.clone());
        }
    }
    if live.is_empty() || wanted.dry_run {
        return Ok(steps);
    }
    let more = live.len().saturating_sub(NAMED);
    live.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(ErasureError::StillLive(format!("{}{more}", live.join(", "))))
}

/// Says nothing of who it was.
fn note(wanted: &Wanted, erased: &Erased, at: Timestamp) -> NewEvent {
    let mut by: Vec<&str> = wanted.contacts.iter().map(ContactKey::kind).collect();
    if !wanted.conversations.is_empty() {
        by.push("conversation");
    }
    by.dedup();
    let detail = format!(
        "by {}: {} conversations, {} events, {} effects",
        by.join(", "),
        erased.conversations,
        erased.events(),
        erased.deliveries
    );
    entry("contact.erased", Some(wanted.by.clone()), detail, at)
}

/// An entry of the audit log.
fn entry(action: &str, by: Option<AuditActor>, detail: String, at: Timestamp) -> NewEvent {
    let entry = AuditEntry {
        action: action.to_owned(),
        outcome: AuditOutcome::Done,
        by,
        from: None,
        route: None,
        target: None,
        detail: Some(detail),
        more: 0,
    };
    NewEvent { id: EventId::fresh(), ..NewEvent::at(at, EventBody::Audited(Box::new(entry))) }
}

fn remains(place: &Place, folder: &Path) -> Vec<String> {
    let mut remains = vec![
        "What was written into other systems; see `elsewhere`.".to_owned(),
        "Copies of the log that were made without `backchannel backup`, and files that were exported.".to_owned(),
        "Keyrings of backups that were exported before (`backchannel keyring export`): replace them.".to_owned(),
        "Drafts of articles that were made of conversations, in backups that an earlier version made: they stand in \
         them in clear, and go when one is restored."
            .to_owned(),
    ];
    if let Place::Postgres(_) = place {
        remains.push(
            "What the database keeps by itself: its write-ahead log until it is recycled, archives of that, \
             replicas, dumps, and the bytes of dead rows until they are written over (VACUUM FULL)."
                .to_owned(),
        );
    }
    let replaced = backup::replaced(folder).into_iter().map(|path| {
        format!(
            "{}: the log that `backchannel restore --force` replaced, with everything that was said: remove it.",
            path.display()
        )
    });
    remains.extend(replaced);
    remains
}
