//! What is known of a conversation when its work is placed: features with their age and source, out of the log.
//!
//! A [`Board`] takes the events of one tenant in the order of the log and keeps little of each: what is going on now
//! (`live`), who came before and what was promised them (`past`), and how long such matters take and who ends them
//! for good (`experience`). It reads no clock and does no I/O: the same events give the same features, and a board
//! can be made again from the log at any time. All that grows has a limit; the oldest goes first.
//!
//! What is old counts less (`age`), so that nothing that was true an hour ago decides like news.

mod age;
mod experience;
mod features;
mod live;
mod past;
#[cfg(test)]
mod tests;
mod works;

use std::collections::{BTreeMap, VecDeque};

use self::works::Works;
use crate::domain::{ConversationId, Recorded};
use crate::store::{ROUTING, StoreError, codec};

pub use age::{Known, Limits, WEIGHT_MIN, weight};
pub use experience::{Experience, Measured};
pub use features::{AgentFit, name};
pub use live::{KINDS, Live};
pub use past::{Past, Promise};

/// How much is kept, and how it is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextSettings {
    pub limits: Limits,
    /// Conversations, live or just over, that are kept in full.
    pub conversations_max: usize,
    /// Contacts whose past is kept.
    pub contacts_max: usize,
    /// Pairs of agent and intent whose experience is kept.
    pub pairs_max: usize,
    /// Experience of that age counts half.
    pub half_life_ms: u64,
    /// Who comes back with the same matter within that time was not helped for good.
    pub repeat_window_ms: u64,
    /// A promise is forgotten so long after it was due, or made where no day was said.
    pub promise_keep_ms: u64,
    /// Seconds that a contact is assumed to take while nothing is known.
    pub handling_s: f64,
    /// Seconds of after-work, which no event tells of, added to each handling time.
    pub after_work_s: f64,
}

const DAY_MS: u64 = 24 * 3_600_000;

impl Default for ContextSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            conversations_max: 20_000,
            contacts_max: 50_000,
            pairs_max: 50_000,
            half_life_ms: 30 * DAY_MS,
            repeat_window_ms: 7 * DAY_MS,
            promise_keep_ms: 14 * DAY_MS,
            handling_s: 300.0,
            after_work_s: 0.0,
        }
    }
}

/// What one tenant's log says about its conversations.
#[derive(Clone, Debug)]
pub struct Board {
    settings: ContextSettings,
    live: BTreeMap<ConversationId, Live>,
    /// In the order in which they came, for forgetting.
    order: VecDeque<ConversationId>,
    past: Past,
    works: Works,
    experience: Experience,
}

impl Board {
    pub fn new(settings: ContextSettings) -> Self {
        Self {
            past: Past::new(settings.contacts_max),
            works: Works::new(settings.conversations_max),
            experience: Experience::new(settings.pairs_max, settings.half_life_ms),
            live: BTreeMap::new(),
            order: VecDeque::new(),
            settings,
        }
    }

    /// Takes in the next event of the log. Kinds that say nothing about routing are passed over.
    ///
    /// # Errors
    /// The event is damaged. Nothing of it counts, and the next can be taken.
    pub fn apply(&mut self, event: &Recorded) -> Result<(), StoreError> {
        if !KINDS.contains(&&*event.kind) {
            return Ok(());
        }
        let at_ms = millis(event);
        self.settle(at_ms);
        // What is told of items without a conversation stands together under one name.
        if event.conversation.as_str() == ROUTING {
            return self.worked(event, at_ms);
        }
        self.enter(&event.conversation);
        let Some(live) = self.live.get_mut(&event.conversation) else { return Ok(()) };
        live.apply(event, at_ms)?;
        match &*event.kind {
            codec::WRAPUP_FOLLOW_UP | codec::WRAPUP_VERDICT => {
                self.past.promised(event, live, at_ms)?;
            }
            codec::ROUTE_ASSIGNED => {
                // Whoever gave it away did not end it.
                for agent in live.take_given_away() {
                    let intent = live.matter().map(str::to_owned);
                    self.experience.judged(&agent, intent.as_deref(), false, at_ms);
                }
            }
            codec::CRM_CONTEXT => {
                if let Some(value) = live.value() {
                    self.experience.valued(value, at_ms);
                }
            }
            codec::CONVERSATION_ENDED => self.close(&event.conversation, at_ms),
            _ => {}
        }
        Ok(())
    }

    /// What is known of a conversation that this board has seen.
    pub fn live(&self, conversation: &ConversationId) -> Option<&Live> {
        self.live.get(conversation)
    }

    /// What was learnt of agents since this was asked last.
    pub fn news(&mut self) -> Vec<Measured> {
        self.experience.news()
    }

    /// The next `news` tells all that is known of agents: for a desk that was made anew.
    pub fn renew(&mut self) {
        self.experience.renew();
    }

    /// What was promised to this customer in other conversations, the first due first.
    pub fn promises(&self, conversation: &ConversationId, now_ms: u64) -> Vec<&Promise> {
        let contact = self.live.get(conversation).and_then(Live::contact);
        let keep_ms = self.settings.promise_keep_ms;
        let of = |contact| self.past.promises(contact, conversation, now_ms, keep_ms);
        contact.map(of).unwrap_or_default()
    }

    /// As `apply` of an `insight.intent` does, for whoever knows it before it is in the log.
    pub fn saw_intent(
        &mut self,
        conversation: &ConversationId,
        seen: crate::domain::IntentSeen,
        at_ms: u64,
    ) {
        self.enter(conversation);
        if let Some(live) = self.live.get_mut(conversation) {
            live.saw_intent(seen, at_ms);
        }
    }

    /// Who hasn't come back for long enough was helped for good.
    fn settle(&mut self, now_ms: u64) {
        let before = now_ms.saturating_sub(self.settings.repeat_window_ms);
        for done in self.past.settled_before(before) {
            self.experience.judged(&done.agent, Some(&done.intent), true, now_ms);
        }
    }

    fn worked(&mut self, event: &Recorded, at_ms: u64) -> Result<(), StoreError> {
        if let Some(done) = self.works.apply(event, at_ms)? {
            let seconds = done.seconds + self.settings.after_work_s;
            self.experience.handled(&done.agent, done.matter.as_deref(), seconds, at_ms);
        }
        Ok(())
    }

    fn close(&mut self, conversation: &ConversationId, at_ms: u64) {
        let Some(live) = self.live.get(conversation) else { return };
        let (agent, matter) = (live.agent(), live.matter());
        if let (Some(agent), Some(seconds)) = (agent, live.handled_s(at_ms)) {
            let seconds = seconds + self.settings.after_work_s;
            self.experience.handled(agent, matter, seconds, at_ms);
        }
        let since = at_ms.saturating_sub(self.settings.repeat_window_ms);
        for again in self.past.ended(live, at_ms, since) {
            self.experience.judged(&again.agent, Some(&again.intent), false, at_ms);
        }
    }

    fn enter(&mut self, conversation: &ConversationId) {
        if self.live.contains_key(conversation) {
            return;
        }
        while self.live.len() >= self.settings.conversations_max.max(1) {
            let Some(oldest) = self.order.pop_front() else { break };
            self.live.remove(&oldest);
        }
        self.live.insert(conversation.clone(), Live::default());
        self.order.push_back(conversation.clone());
    }
}

fn millis(event: &Recorded) -> u64 {
    u64::try_from(event.time.as_millisecond()).unwrap_or(0)
}
