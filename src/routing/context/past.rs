//! Those who came before: with whom they spoke, what they were promised, and whether they come back.

use std::collections::{BTreeMap, VecDeque};

use super::live::Live;
use crate::domain::{ConversationId, Recorded, Role};
use crate::store::{StoreError, codec, wire};

/// Of one contact so much is kept, the newest.
const PROMISES_MAX: usize = 8;
const OPEN_MAX: usize = 8;
const VISITS_MAX: usize = 16;
/// Of a full table so much goes at once, those who were away the longest first.
const FORGOTTEN_SHARE: usize = 16;

/// Something that an agent or a bot said they will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    pub conversation: ConversationId,
    pub wrapup_id: String,
    /// task, callback or meeting
    pub kind: String,
    /// None where the words may mean more than one day.
    pub due_ms: Option<u64>,
    pub made_ms: u64,
}

/// A matter that an agent ended, if the customer doesn't come back with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub agent: String,
    pub intent: String,
    ended_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Contact {
    pub last_agent: Option<(String, u64)>,
    /// Ends of conversations, oldest first.
    pub visits: VecDeque<u64>,
    pub promises: VecDeque<Promise>,
    open: VecDeque<Done>,
    seen_ms: u64,
}

/// What is kept of contacts, by how they are known again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    contacts_max: usize,
    contacts: BTreeMap<String, Contact>,
    /// Ends that wait for their window to pass, in the order of the log.
    waiting: VecDeque<(u64, String)>,
}

impl Past {
    pub fn new(contacts_max: usize) -> Self {
        Self { contacts_max: contacts_max.max(1), ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Ends of which it isn't known yet whether they were for good.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn of(&self, contact: &str) -> Option<&Contact> {
        self.contacts.get(contact)
    }

    /// What was promised to a contact in another conversation and isn't forgotten, the first due first.
    pub fn promises<'a>(
        &'a self,
        contact: &str,
        except: &ConversationId,
        now_ms: u64,
        keep_ms: u64,
    ) -> Vec<&'a Promise> {
        let promises = self.of(contact).into_iter().flat_map(|contact| &contact.promises);
        let mut open: Vec<&Promise> = promises
            .filter(|one| one.conversation != *except)
            .filter(|one| one.due_ms.unwrap_or(one.made_ms).saturating_add(keep_ms) >= now_ms)
            .collect();
        open.sort_by_key(|one| (one.due_ms.is_none(), one.due_ms, one.made_ms));
        open
    }

    /// Takes in a follow-up, or what a person made of one.
    pub(super) fn promised(
        &mut self,
        event: &Recorded,
        live: &Live,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let Some(key) = live.contact() else { return Ok(()) };
        let same = |one: &Promise, wrapup_id: &str| {
            one.conversation == event.conversation && one.wrapup_id == wrapup_id
        };
        if &*event.kind == codec::WRAPUP_VERDICT {
            let verdict: wire::WrapUpVerdict = codec::data(event)?;
            if verdict.verdict == "discarded"
                && let Some(contact) = self.contacts.get_mut(key)
            {
                contact.promises.retain(|one| !same(one, &verdict.wrapup_id));
            }
            return Ok(());
        }
        let follow_up: wire::WrapUpFollowUp = codec::data(event)?;
        if Role::parse(&follow_up.promised_by).is_none_or(|role| role == Role::Customer) {
            return Ok(());
        }
        let wrapup_id = follow_up.head.wrapup_id;
        let contact = self.enter(key, at_ms);
        contact.promises.retain(|one| !same(one, &wrapup_id));
        if contact.promises.len() >= PROMISES_MAX {
            contact.promises.pop_front();
        }
        contact.promises.push_back(Promise {
            conversation: event.conversation.clone(),
            wrapup_id,
            kind: follow_up.kind,
            due_ms: follow_up.due.as_ref().and_then(due_ms),
            made_ms: at_ms,
        });
        Ok(())
    }

    /// A conversation is over. Matters that somebody else, or the same, had ended since `since_ms`, and with which
    /// the customer came again.
    pub(super) fn ended(&mut self, live: &Live, at_ms: u64, since_ms: u64) -> Vec<Done> {
        let Some(key) = live.contact() else { return Vec::new() };
        let contact = self.enter(key, at_ms);
        if contact.visits.len() >= VISITS_MAX {
            contact.visits.pop_front();
        }
        contact.visits.push_back(at_ms);
        let Some(agent) = live.agent() else { return Vec::new() };
        contact.last_agent = Some((agent.to_owned(), at_ms));
        let Some(matter) = live.matter() else { return Vec::new() };
        let is_again = |one: &Done| one.intent == matter && one.ended_ms >= since_ms;
        let again = contact.open.iter().filter(|one| is_again(one)).cloned().collect();
        contact.open.retain(|one| !is_again(one));
        if contact.open.len() >= OPEN_MAX {
            contact.open.pop_front();
        }
        contact.open.push_back(Done {
            agent: agent.to_owned(),
            intent: matter.to_owned(),
            ended_ms: at_ms,
        });
        self.waiting.push_back((at_ms, key.to_owned()));
        again
    }

    /// Matters that were ended before, and with which nobody came back.
    pub(super) fn settled_before(&mut self, before_ms: u64) -> Vec<Done> {
        let mut settled = Vec::new();
        while self.waiting.front().is_some_and(|(ended_ms, _)| *ended_ms < before_ms) {
            let Some((_, key)) = self.waiting.pop_front() else { break };
            let Some(contact) = self.contacts.get_mut(&key) else { continue };
            let is_settled = |one: &&Done| one.ended_ms < before_ms;
            settled.extend(contact.open.iter().filter(is_settled).cloned());
            contact.open.retain(|one| !is_settled(&one));
        }
        settled
    }

    fn enter(&mut self, key: &str, at_ms: u64) -> &mut Contact {
        if !self.contacts.contains_key(key) && self.contacts.len() >= self.contacts_max {
            self.forget();
        }
        let contact = self.contacts.entry(key.to_owned()).or_default();
        contact.seen_ms = contact.seen_ms.max(at_ms);
        contact
    }

    fn forget(&mut self) {
        let mut ages: Vec<u64> = self.contacts.values().map(|contact| contact.seen_ms).collect();
        ages.sort_unstable();
        let mut surplus = (self.contacts_max / FORGOTTEN_SHARE).max(1);
        let Some(&oldest) = ages.get(surplus.min(ages.len()).saturating_sub(1)) else { return };
        self.contacts.retain(|_, contact| {
            let goes = surplus > 0 && contact.seen_ms <= oldest;
            surplus -= usize::from(goes);
            !goes
        });
        let contacts = &self.contacts;
        self.waiting.retain(|(_, key)| contacts.contains_key(key));
    }
}

/// The end of what was said: of the day where no time was.
fn due_ms(due: &wire::Due) -> Option<u64> {
    let date: jiff::civil::Date = due.date.as_deref()?.parse().ok()?;
    let time = due.until.as_deref().or(due.time.as_deref());
    let time = time.and_then(|time| time.parse::<jiff::civil::Time>().ok());
    let time = time.unwrap_or_else(|| jiff::civil::time(23, 59, 59, 0));
    // A zone that this machine doesn't know moves the day by hours, not away.
    let zone = jiff::tz::TimeZone::get(&due.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment = date.to_datetime(time).to_zoned(zone).ok()?.timestamp();
    u64::try_from(moment.as_millisecond()).ok()
}
