//! How an item comes into a queue: offered, changed by what was learned, transferred, or sent on.

use super::Desk;
use super::io::{Offer, Output, Overflowed, Queued, Refused, Target};
use super::items::{Item, Place, Rank};
use crate::domain::{Feature, FeatureValue, Intent, RoutingMode, WorkItemId};
use crate::routing::classify::classify;
use crate::routing::condition::Scope;
use crate::routing::overflow::{self, Load};
use crate::routing::plan::{Action, Channel, Method};
use crate::routing::route::{Routed, route};
use crate::routing::score;

/// Why an item enters a queue.
pub(super) struct Entry {
    pub routed: Option<Routed>,
    pub moved: bool,
    pub callback: bool,
    pub why: String,
}

impl Entry {
    pub fn moved(why: String) -> Self {
        Self { routed: None, moved: true, callback: false, why }
    }
}

impl Desk {
    /// `is_back`: it was here before, and isn't checked again for whether its queue has room.
    pub(super) fn offer(
        &mut self,
        offer: Offer,
        is_back: bool,
        now_ms: u64,
    ) -> Result<(), Refused> {
        if self.items.find(&offer.item).is_some() {
            return Err(Refused::KnownItem);
        }
        let workstream = self.plan.names.workstreams.get(&offer.workstream).copied();
        let workstream = workstream.ok_or(Refused::NoSuchWorkstream)?;
        let preferred = offer.preferred.iter();
        let preferred = preferred.filter_map(|name| self.agent_named(name).ok()).collect();
        let kinds = self.kinds_of(&offer.intents);
        let at = self.items.insert(Item {
            id: offer.item,
            workstream,
            given: offer.features,
            features: Vec::new(),
            kinds,
            skills: Vec::new(),
            profiles: Vec::new(),
            rules: Vec::new(),
            queue: 0,
            class: 0,
            rank: Rank::default(),
            place: Place::Waiting,
            arrived_ms: now_ms,
            number: 0,
            queued_ms: now_ms,
            tried_ms: None,
            moved: false,
            overflowed: 0,
            callback: false,
            preferred,
            declined: Vec::new(),
            recommended: None,
            decision: None,
            withdrawn: None,
            told_nobody: false,
            value: 1.0,
            promised_ms: None,
            assigned_ms: None,
            unanswered: None,
            taken: Vec::new(),
            beside: Vec::new(),
        });
        self.classify(at, now_ms);
        match is_back {
            true => self.route_back(at, now_ms),
            false => self.route_in(at, now_ms),
        }
        Ok(())
    }

    pub(super) fn classify(&mut self, at: u32, now_ms: u64) {
        let item = self.items.of(at);
        let made = classify(&self.plan.workstreams[item.workstream as usize], &item.given, now_ms);
        let number = |name: &str| {
            made.features.iter().find_map(|feature| match feature.value {
                FeatureValue::Number(number) if feature.name == name => Some(number),
                _ => None,
            })
        };
        let value = score::value(number("value"));
        let promised_ms = number("promise_due_ms").filter(|ms| *ms >= 0.0).map(|ms| ms as u64);
        let item = self.items.of_mut(at);
        (item.features, item.skills, item.profiles) = (made.features, made.skills, made.profiles);
        (item.rules, item.value, item.promised_ms) = (made.matched, value, promised_ms);
    }

    /// Chooses the queue by the rules, and does what its overflow says.
    pub(super) fn route_in(&mut self, at: u32, now_ms: u64) {
        let item = self.items.of(at);
        let workstream = &self.plan.workstreams[item.workstream as usize];
        let load = |queue| Some(self.load(queue));
        let id = item.id.as_str();
        let routed = route(&self.plan, workstream, id, &item.features, load, now_ms);
        let Some((limit, action)) = routed.overflow.clone() else {
            let (queue, why) = (routed.queue, routed.why.clone());
            let entry = Entry { routed: Some(routed), moved: false, callback: false, why };
            return self.enter(at, queue, entry, now_ms);
        };
        let why = overflow::told(&limit);
        self.overflowed(at, routed.queue, &action, false, &why, now_ms);
        match action {
            Action::QueueAnyway | Action::Callback => {
                let (queue, why) = (routed.queue, routed.why.clone());
                let callback = matches!(action, Action::Callback);
                let entry = Entry { routed: Some(routed), moved: false, callback, why };
                self.enter(at, queue, entry, now_ms);
            }
            // Without any further check: an item is checked once before it is queued.
            Action::Queue(other) => {
                let from = &self.plan.queues[routed.queue as usize].name;
                let why = format!("it overflowed from `{from}`: {why}");
                let entry = Entry { routed: Some(routed), ..Entry::moved(why) };
                self.enter(at, other, entry, now_ms);
            }
            // Another router has the item: only what it would come to is told.
            _ if self.plan.mode != RoutingMode::Active => {
                let (queue, why) = (routed.queue, routed.why.clone());
                let entry = Entry { routed: Some(routed), moved: false, callback: false, why };
                self.enter(at, queue, entry, now_ms);
            }
            Action::End | Action::External(_) | Action::Voicemail => self.forget(at),
        }
    }

    /// Chooses the queue by the rules alone: an item is checked once before it is queued.
    pub(super) fn route_back(&mut self, at: u32, now_ms: u64) {
        let routed = self.routed_back(at, now_ms);
        let (queue, why) = (routed.queue, routed.why.clone());
        let entry = Entry { routed: Some(routed), moved: false, callback: false, why };
        self.enter(at, queue, entry, now_ms);
    }

    fn routed_back(&self, at: u32, now_ms: u64) -> Routed {
        let item = self.items.of(at);
        let workstream = &self.plan.workstreams[item.workstream as usize];
        route(&self.plan, workstream, item.id.as_str(), &item.features, |_| None, now_ms)
    }

    pub(super) fn overflowed(
        &mut self,
        at: u32,
        queue: u32,
        action: &Action,
        after_queueing: bool,
        why: &str,
        now_ms: u64,
    ) {
        let item = self.items.of(at);
        let to = match action {
            Action::Queue(other) => Some(self.plan.queues[*other as usize].name.clone()),
            Action::External(number) => Some(number.clone()),
            _ => None,
        };
        let overflowed = Overflowed {
            item: item.id.clone(),
            queue: self.plan.queues[queue as usize].name.clone(),
            mode: self.plan.mode,
            epoch: self.epoch,
            action: action.kind(),
            to,
            after_queueing,
            waited_ms: now_ms.saturating_sub(item.arrived_ms),
            why: why.to_owned(),
            at_ms: now_ms,
        };
        self.tell(Output::Overflowed(overflowed));
    }

    /// Puts an item, which waits nowhere, into a queue.
    pub(super) fn enter(&mut self, at: u32, queue: u32, entry: Entry, now_ms: u64) {
        let item = self.items.of_mut(at);
        (item.queue, item.queued_ms, item.tried_ms) = (queue, now_ms, None);
        (item.place, item.recommended, item.told_nobody) = (Place::Waiting, None, false);
        (item.unanswered, item.withdrawn, item.overflowed) = (None, None, 0);
        item.moved |= entry.moved;
        item.callback |= entry.callback;
        self.stand(at, now_ms);
        self.wait_for_overflow(at);
        let of_queue = &self.plan.queues[queue as usize];
        if of_queue.channel == Channel::Record {
            self.see_to_records(now_ms);
        }
        let item = self.items.of(at);
        let name = |queue: u32| self.plan.queues[queue as usize].name.clone();
        let routed = entry.routed.as_ref();
        let matched = routed.map_or(&[][..], |routed| &routed.matched);
        let skill =
            |(skill, level): &(u32, u8)| (self.plan.skills[*skill as usize].clone(), *level);
        let profile = |profile: &u32| self.plan.profiles[*profile as usize].name.clone();
        let queued = Queued {
            item: item.id.clone(),
            workstream: self.plan.workstreams[item.workstream as usize].name.clone(),
            queue: name(queue),
            mode: self.plan.mode,
            epoch: self.epoch,
            classified_by: item.rules.clone(),
            routes_matched: matched
                .iter()
                .map(|(rule, queue)| (rule.clone(), name(*queue)))
                .collect(),
            route: routed.and_then(|routed| routed.rule.clone()),
            percent: routed.and_then(|routed| routed.percent),
            skills: item.skills.iter().map(skill).collect(),
            profiles: item.profiles.iter().map(profile).collect(),
            callback: item.callback,
            why: entry.why,
            at_ms: now_ms,
        };
        self.tell(Output::Queued(queued));
        self.new_items.push(at);
    }

    /// Finds an item's class and rank, and puts it into the line of its queue.
    pub(super) fn stand(&mut self, at: u32, now_ms: u64) {
        let item = self.items.of(at).clone();
        let class = self.class_of(&item, item.queue);
        let (bucket, by) = self.bucket(&item, now_ms);
        let rank = (bucket, by, item.arrived_ms, item.number, at);
        let item = self.items.of_mut(at);
        (item.class, item.rank) = (class, rank);
        let is_valued = self.plan.queues[item.queue as usize].method == Method::Context;
        let value = is_valued.then_some(item.value);
        self.lines[item.queue as usize].add(class, rank, value);
        for agent in item.preferred.clone() {
            self.preferring.entry(agent).or_default().insert(at);
        }
        self.note_advice(at);
    }

    /// Takes an item out of the line.
    pub(super) fn step_out(&mut self, at: u32) {
        let item = self.items.of(at);
        let is_valued = self.plan.queues[item.queue as usize].method == Method::Context;
        let value = is_valued.then_some(item.value);
        self.lines[item.queue as usize].take(item.class, item.rank, value);
        for agent in &item.preferred {
            if let Some(items) = self.preferring.get_mut(agent) {
                items.remove(&at);
            }
        }
        self.drop_advice(at);
    }

    /// The bucket of an item in a custom queue, and the attribute that it is ordered by there; 0 elsewhere.
    fn bucket(&self, item: &Item, now_ms: u64) -> (u16, u64) {
        let queue = &self.plan.queues[item.queue as usize];
        if queue.method != Method::Custom {
            return (0, 0);
        }
        let scope = Scope::of_item(&item.features, now_ms);
        let found = queue.prioritisation.iter().position(|bucket| bucket.when.holds(scope));
        let Some(found) = found else { return (u16::MAX, 0) };
        let by = queue.prioritisation[found].order_by.as_ref().map_or(0, |name| {
            let number = item.features.iter().find_map(|feature| match feature.value {
                FeatureValue::Number(number) if feature.name == *name => Some(number),
                _ => None,
            });
            sortable(number.unwrap_or(f64::INFINITY))
        });
        (found.min(usize::from(u16::MAX)) as u16, by)
    }

    pub(super) fn update(
        &mut self,
        id: &WorkItemId,
        features: Vec<Feature>,
        intents: Option<Vec<Intent>>,
        now_ms: u64,
    ) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        let kinds = intents.map(|intents| self.kinds_of(&intents));
        let is_waiting = self.items.of(at).place == Place::Waiting;
        if is_waiting {
            self.step_out(at);
        }
        let item = self.items.of_mut(at);
        item.given = features;
        item.kinds = kinds.unwrap_or(std::mem::take(&mut item.kinds));
        self.classify(at, now_ms);
        if !is_waiting {
            return Ok(());
        }
        let routed = self.routed_back(at, now_ms);
        let item = self.items.of(at);
        let leads_on = routed.rule.is_some() && routed.queue != item.queue && !item.moved;
        if leads_on {
            let why = format!("what was learned leads to another queue: {}", routed.why);
            let queue = routed.queue;
            let entry = Entry { routed: Some(routed), moved: false, callback: false, why };
            self.enter(at, queue, entry, now_ms);
        } else {
            let item = self.items.of_mut(at);
            (item.told_nobody, item.recommended) = (false, None);
            self.stand(at, now_ms);
            self.new_items.push(at);
        }
        Ok(())
    }

    pub(super) fn transfer(
        &mut self,
        id: &WorkItemId,
        to: &Target,
        by: &str,
        now_ms: u64,
    ) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        match to {
            Target::Agent(agent) => self.assign_by_hand(id, agent, by, now_ms),
            Target::Queue(name) => {
                let queue = self.queue_named(name)?;
                self.take_away(at, now_ms);
                // Whoever declined in the old queue may be right for what it has become.
                self.items.of_mut(at).declined.clear();
                self.items.of_mut(at).preferred.clear();
                self.enter(at, queue, Entry::moved("it was transferred".to_owned()), now_ms);
                Ok(())
            }
        }
    }

    /// How full a queue is.
    pub(super) fn load(&self, queue: u32) -> Load {
        let (members, line) = (&self.members_of[queue as usize], &self.lines[queue as usize]);
        let handling_ms = self.handling_s[queue as usize] * 1000.0;
        let predicted_wait_ms = match (members.serving, members.ready) {
            (0, _) => None,
            // Somebody is free, and nobody before.
            (_, 1..) if line.len() == 0 => Some(0),
            (serving, _) => {
                Some((f64::from(line.len() + 1) * handling_ms / f64::from(serving)) as u64)
            }
        };
        Load { waiting: line.len(), predicted_wait_ms }
    }
}

/// A number as one that sorts alike.
fn sortable(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
