//! Walks a log in the order of positions and says what doesn't hold. No I/O.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{Hash, Linked, LogHead, START, link, seal};
use crate::domain::{ArticleId, CardId, ConversationId, TenantId};

/// More faults than this are counted and not named.
const NAMED: usize = 100;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The event isn't what was written, or doesn't follow the one before it.
    Altered { tenant: TenantId, conversation: ConversationId, sequence: u64, position: u64 },
    /// The events from this sequence on, up to the one before `next`, are gone.
    Missing { tenant: TenantId, conversation: ConversationId, sequence: u64, next: u64 },
    /// The conversation's row doesn't end where its events do.
    Cut { tenant: TenantId, conversation: ConversationId, stands: u64, kept: u64 },
    /// The conversation's row says in this place something else than its events.
    Row { tenant: TenantId, conversation: ConversationId, what: &'static str },
    /// A revision of an article says in this place something else than its event.
    Revision { tenant: TenantId, article: ArticleId, number: i64, what: &'static str },
    /// An article's row says in this place something else than its revisions.
    ArticleRow { tenant: TenantId, article: ArticleId, what: &'static str },
    /// A card isn't found, or elsewhere than it was offered.
    Card { tenant: TenantId, conversation: ConversationId, card: CardId },
    /// The database itself can't be read in some place, or contradicts itself.
    Damaged(String),
    /// The log doesn't end where its own head says.
    LogCut { stands: LogHead, kept: LogHead },
    /// A head that was kept elsewhere was never one of this log.
    OtherHistory { kept: LogHead },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { tenant, conversation, sequence, position } => write!(
                f,
                "conversation {conversation} of {tenant}: event {sequence} (position {position}) is not what was \
                 written"
            ),
            Self::Missing { tenant, conversation, sequence, next } => write!(
                f,
                "conversation {conversation} of {tenant}: of its events {sequence} to {} are missing",
                next - 1
            ),
            Self::Cut { tenant, conversation, stands, kept } => write!(
                f,
                "conversation {conversation} of {tenant} ends with event {stands}, and its row says {kept}"
            ),
            Self::Row { tenant, conversation, what } => write!(
                f,
                "conversation {conversation} of {tenant}: its row says in {what} something else than its events"
            ),
            Self::Revision { tenant, article, number, what } => write!(
                f,
                "article {article} of {tenant}: revision {number} isn't what was decided: {what}"
            ),
            Self::ArticleRow { tenant, article, what } => write!(
                f,
                "article {article} of {tenant}: its row says in {what} something else than its revisions"
            ),
            Self::Card { tenant, conversation, card } => write!(
                f,
                "conversation {conversation} of {tenant}: card {card} isn't found where it was offered"
            ),
            Self::Damaged(what) => write!(f, "damaged: {what}"),
            Self::LogCut { stands, kept } => write!(
                f,
                "the log ends at position {} and its own head says {}; its end was cut off or changed",
                stands.position, kept.position
            ),
            Self::OtherHistory { kept } => write!(
                f,
                "what the log holds up to position {} isn't what it held when that head was kept",
                kept.position
            ),
        }
    }
}

/// The outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub events: u64,
    pub conversations: usize,
    /// Events whose body is erased; their place in the chain was checked.
    pub erased: u64,
    pub head: LogHead,
    /// The first hundred.
    pub faults: Vec<Fault>,
    pub fault_count: u64,
}

#[derive(Clone, Copy)]
struct End {
    sequence: u64,
    chain: Hash,
}

impl Report {
    /// What is wrong with that in which the log stands: named before all else.
    pub fn damaged(&mut self, what: String) {
        self.faults.insert(0, Fault::Damaged(what));
        self.faults.truncate(NAMED);
        self.fault_count += 1;
    }
}

/// A walk in progress: `take` all events in order, then the rows by `conversation`, then `finish`.
pub struct Audit {
    ends: HashMap<(TenantId, ConversationId), End>,
    /// Of which something is named.
    faulty: HashSet<(TenantId, ConversationId)>,
    kept: Option<LogHead>,
    kept_is_met: bool,
    report: Report,
}

impl Audit {
    /// `kept`: a head that was noted earlier, which this log must have had.
    pub fn new(kept: Option<LogHead>) -> Self {
        let report = Report {
            events: 0,
            conversations: 0,
            erased: 0,
            head: LogHead::EMPTY,
            faults: Vec::new(),
            fault_count: 0,
        };
        let kept_is_met = kept.is_none_or(|kept| kept == LogHead::EMPTY);
        Self { ends: HashMap::new(), faulty: HashSet::new(), kept, kept_is_met, report }
    }

    /// The next event of the log.
    pub fn take(&mut self, linked: &Linked) {
        let event = &linked.event;
        let key = (event.tenant.clone(), event.conversation.clone());
        let before = self.ends.get(&key).copied().unwrap_or(End { sequence: 0, chain: START });
        let follows = event.sequence == before.sequence + 1;
        if !follows {
            let (tenant, conversation) = key.clone();
            self.fault(if event.sequence > before.sequence {
                let (sequence, next) = (before.sequence + 1, event.sequence);
                Fault::Missing { tenant, conversation, sequence, next }
            } else {
                let (sequence, position) = (event.sequence, event.position);
                Fault::Altered { tenant, conversation, sequence, position }
            });
        }
        self.report.erased += u64::from(linked.salt.is_none());
        let holds =
            linked.body().is_some_and(|body| link(&before.chain, event, &body) == linked.chain);
        // What follows a gap can't be checked; what follows that can.
        if follows && !holds {
            let (tenant, conversation) = key.clone();
            let (sequence, position) = (event.sequence, event.position);
            self.fault(Fault::Altered { tenant, conversation, sequence, position });
        }
        self.ends.insert(key, End { sequence: event.sequence, chain: linked.chain });
        let head = &mut self.report.head;
        *head = LogHead { position: event.position, seal: seal(&head.seal, &linked.chain) };
        self.kept_is_met |= self.kept == Some(*head);
        self.report.events += 1;
    }

    /// Where a conversation's row says that it ends.
    pub fn conversation(
        &mut self,
        tenant: &TenantId,
        conversation: &ConversationId,
        sequence: u64,
        chain: &Hash,
    ) {
        self.report.conversations += 1;
        let end = self.ends.remove(&(tenant.clone(), conversation.clone()));
        let end = end.unwrap_or(End { sequence: 0, chain: START });
        if (end.sequence, &end.chain) != (sequence, chain) {
            let (tenant, conversation) = (tenant.clone(), conversation.clone());
            self.fault(Fault::Cut { tenant, conversation, stands: end.sequence, kept: sequence });
        }
    }

    pub fn is_faulty(&self, tenant: &TenantId, conversation: &ConversationId) -> bool {
        !self.faulty.is_empty() && self.faulty.contains(&(tenant.clone(), conversation.clone()))
    }

    /// A row that doesn't follow from its events.
    pub fn row_differs(
        &mut self,
        tenant: &TenantId,
        conversation: &ConversationId,
        what: &'static str,
    ) {
        let (tenant, conversation) = (tenant.clone(), conversation.clone());
        self.fault(Fault::Row { tenant, conversation, what });
    }

    /// What the database says of itself.
    pub fn damaged(&mut self, what: String) {
        self.fault(Fault::Damaged(what));
    }

    /// Nothing behind this could be read.
    pub fn break_off(mut self, what: String) -> Report {
        self.damaged(what);
        self.report
    }

    /// `head`: as the log itself keeps it.
    pub fn finish(mut self, head: LogHead) -> Report {
        // Whoever has events and no row was not among those that came by `conversation`.
        let mut rest: Vec<_> = self.ends.drain().collect();
        rest.sort_by(|(a, _), (b, _)| a.cmp(b));
        for ((tenant, conversation), end) in rest {
            self.fault(Fault::Cut { tenant, conversation, stands: end.sequence, kept: 0 });
        }
        if self.report.head != head {
            self.fault(Fault::LogCut { stands: self.report.head, kept: head });
        }
        if let Some(kept) = self.kept.filter(|_| !self.kept_is_met) {
            self.fault(Fault::OtherHistory { kept });
        }
        self.report
    }

    /// Names what was found beside the chain, too.
    pub fn fault(&mut self, fault: Fault) {
        if let Fault::Altered { tenant, conversation, .. }
        | Fault::Missing { tenant, conversation, .. }
        | Fault::Cut { tenant, conversation, .. } = &fault
        {
            self.faulty.insert((tenant.clone(), conversation.clone()));
        }
        self.report.fault_count += 1;
        if self.report.faults.len() < NAMED {
            self.report.faults.push(fault);
        }
    }
}
