//! What is appended while something goes wrong, and what must be there afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use backchannel::domain::{
    ConversationId, CrmWrite, DedupeKey, Effect, EventBody, NewDelivery, NewEvent, NewNote,
    Progress, Recorded, Redacted, TenantId,
};
use backchannel::store::{DeliveryQuery, EventLog, Outbox as _, ReadQuery, Store as _, StoreError};
use jiff::Timestamp;

use crate::serve::harness::turn;

/// A turn, the effect that follows from it, and what is told of that: one append.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Append {
    pub conversation: String,
    /// Of its turn, its effect and its two events.
    pub name: String,
}

/// How many appends are missing, there twice, and without their row in the outbox.
pub type Lost = (usize, usize, usize);

pub const NOTHING: Lost = (0, 0, 0);

impl Append {
    pub async fn post(&self, log: &EventLog) -> Result<(), StoreError> {
        let (name, now) = (&self.name, Timestamp::now());
        let new = NewDelivery {
            destination: "crm".into(),
            key: key(name),
            lane: self.conversation.clone(),
            effect: Effect::AddNote(NewNote {
                contact_id: "ada".into(),
                case: None,
                subject: Redacted::vouched("A call"),
                body: Redacted::vouched(name.as_str()),
            }),
            from: None,
            by: None,
            created_at: now,
        };
        let write = EventBody::CrmWrite(Box::new(CrmWrite::of(&new, &Progress::new(now))));
        let events = vec![
            NewEvent { id: format!("turn-{name}").as_str().into(), time: now, body: turn(name) },
            NewEvent { id: format!("told-{name}").as_str().into(), time: now, body: write },
        ];
        log.post(&"demo".into(), &self.conversation.as_str().into(), events, vec![new]).await?;
        Ok(())
    }
}

pub async fn compare(log: &EventLog, acknowledged: &BTreeSet<Append>) -> Lost {
    let tenant = TenantId::from("demo");
    let mut events: Vec<Arc<Recorded>> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.position);
        let page = log.read(&ReadQuery::all(tenant.clone(), after)).await.expect("reads");
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    let mut calls: BTreeMap<&ConversationId, Vec<u64>> = BTreeMap::new();
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for event in &events {
        calls.entry(&event.conversation).or_default().push(event.sequence);
        match &*event.kind {
            "turn.final" => *turns.entry(event.id.as_str()).or_default() += 1,
            "crm.write" => told.extend([event.id.as_str()]),
            _ => {}
        }
    }
    for (call, numbers) in &calls {
        assert_eq!(*numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{call}");
    }
    let mut rows: BTreeSet<String> = BTreeSet::new();
    let mut query = DeliveryQuery::all(tenant);
    loop {
        let page = log.deliveries(&query).await.expect("reads");
        for one in page.items {
            assert!(rows.insert(one.new.key.as_str().to_owned()), "{} twice", one.new.key.as_str());
        }
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    let turn_of = |name: &str| format!("turn-{name}");
    let missing = acknowledged.iter().filter(|one| !turns.contains_key(&*turn_of(&one.name)));
    let missing = missing.count();
    let twice = turns.values().filter(|count| **count > 1).count();
    // Also of what was written and nobody heard of: a turn, its event and its row are one commit.
    let names = turns.keys().filter_map(|id| id.strip_prefix("turn-"));
    let lacks = |name: &&str| {
        !rows.contains(key(name).as_str()) || !told.contains(&*format!("told-{name}"))
    };
    let without_row = names.filter(lacks).count();
    (missing, twice, without_row)
}

fn key(name: &str) -> DedupeKey {
    DedupeKey::of(&["killed", name])
}
