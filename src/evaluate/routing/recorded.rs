//! What the router of a service has seen, as rows that the simulator replays.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{Recorded, TenantId};
use crate::routing::context::name;
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec, wire};

/// What an item is called whose intent nobody ever knew.
const UNKNOWN: &str = "unknown";

const KINDS: &str = "route.offered,route.recommended,route.assigned,route.moved,insight.intent";

/// Work items of the log by name, each with what became of it.
#[derive(Debug, Default)]
pub struct RecordedWork {
    items: BTreeMap<String, Item>,
    /// Items by conversation, for what is understood of it.
    of_conversation: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Item {
    arrived_ms: u64,
    intent: Option<String>,
    value: Option<f64>,
    agent: Option<String>,
    /// The first time that somebody had it.
    answered_ms: Option<u64>,
    ended_ms: Option<u64>,
}

/// How many work items were written, and how many weren't since they aren't over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub over: usize,
    pub open: usize,
}

impl RecordedWork {
    /// Reads the whole log of a tenant.
    ///
    /// # Errors
    /// The log can't be read, or an event of it is damaged.
    pub async fn read(store: &dyn Store, tenant: &TenantId) -> Result<Self, StoreError> {
        let mut all = Self::default();
        let mut query = ReadQuery::all(tenant.clone(), 0);
        query.kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
        loop {
            let page = store.read(&query).await?;
            for event in &page {
                all.take(event)?;
            }
            query.after = page.last().map_or(query.after, |event| event.position);
            if page.len() < MAX_READ {
                return Ok(all);
            }
        }
    }

    fn take(&mut self, event: &Recorded) -> Result<(), StoreError> {
        match &*event.kind {
            codec::ROUTE_OFFERED => {
                let offered: wire::RouteOffered = codec::data(event)?;
                if let Some(conversation) = &offered.conversation_id {
                    self.of_conversation.insert(conversation.clone(), offered.work_item_id.clone());
                }
                let item = self.items.entry(offered.work_item_id).or_default();
                if item.arrived_ms == 0 {
                    item.arrived_ms = offered.at_ms;
                }
                item.understand(offered.intents.first().map(|first| first.label.as_str()));
                item.know(&offered.features);
            }
            codec::ROUTE_RECOMMENDED => {
                let decision: wire::RouteRecommended = codec::data(event)?;
                if let Some(item) = self.items.get_mut(&decision.work_item_id) {
                    item.know(&decision.features);
                }
            }
            codec::ROUTE_ASSIGNED => {
                let assigned: wire::RouteAssigned = codec::data(event)?;
                if let Some(item) = self.items.get_mut(&assigned.work_item_id) {
                    item.answered_ms.get_or_insert(assigned.at_ms);
                    item.ended_ms = None;
                    item.agent = Some(assigned.agent);
                }
            }
            codec::ROUTE_MOVED => {
                let moved: wire::RouteMoved = codec::data(event)?;
                if let Some(item) = self.items.get_mut(&moved.work_item_id) {
                    item.moved(&moved);
                }
            }
            codec::INSIGHT_INTENT => {
                let intent: wire::InsightIntent = codec::data(event)?;
                let item = self.of_conversation.get(event.conversation.as_str());
                if let Some(item) = item.and_then(|name| self.items.get_mut(name))
                    && !intent.abstained
                {
                    item.understand(intent.intents.first().map(|first| first.label.as_str()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes a row for each item that is over, in the order in which they came: CSV as [`own_log`] reads it. Times of
    /// day are those of `zone`, as the simulator plays day by day.
    ///
    /// [`own_log`]: crate::routing::simulate::own_log
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, zone: &TimeZone, out: &mut dyn Write) -> std::io::Result<Exported> {
        let mut rows: Vec<&Item> = self.items.values().collect();
        rows.sort_by_key(|item| item.arrived_ms);
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "arrival",
            "intent",
            "value",
            "handling_s",
            "abandoned",
            "wait_s",
            "agent",
        ])?;
        let mut exported = Exported::default();
        for item in rows {
            let Some(ended_ms) = item.ended_ms else {
                exported.open += 1;
                continue;
            };
            exported.over += 1;
            let waited_until = item.answered_ms.unwrap_or(ended_ms);
            let handling = item.answered_ms.map(|from| seconds(from, ended_ms));
            csv.write_record([
                clock(item.arrived_ms, zone).as_str(),
                item.intent.as_deref().unwrap_or(UNKNOWN),
                item.value.map(|value| value.to_string()).unwrap_or_default().as_str(),
                handling.as_deref().unwrap_or_default(),
                if item.answered_ms.is_none() { "1" } else { "0" },
                seconds(item.arrived_ms, waited_until).as_str(),
                item.agent.as_deref().unwrap_or_default(),
            ])?;
        }
        csv.flush()?;
        Ok(exported)
    }
}

impl Item {
    /// Until somebody has it: what the router could go by.
    fn understand(&mut self, intent: Option<&str>) {
        if let Some(intent) = intent
            && (self.answered_ms.is_none() || self.intent.is_none())
        {
            self.intent = Some(intent.to_owned());
        }
    }

    fn know(&mut self, features: &[wire::RouteFeature]) {
        for feature in features {
            match (feature.name.as_str(), &feature.value) {
                (name::INTENT, wire::RouteFeatureValue::Text(intent)) => {
                    self.understand(Some(intent))
                }
                (name::VALUE, wire::RouteFeatureValue::Number(value)) => self.value = Some(*value),
                _ => {}
            }
        }
    }

    fn moved(&mut self, moved: &wire::RouteMoved) {
        match moved.step.as_str() {
            // Was offered and not taken: still waits.
            "declined" => (self.agent, self.answered_ms) = (None, None),
            "taken" => {
                self.answered_ms.get_or_insert(moved.at_ms);
                self.agent = None;
            }
            "transferred" => self.ended_ms = None,
            // The work goes on after the conversation, until the agent is free again.
            "ended" | "released" => self.ended_ms = Some(moved.at_ms),
            _ => {}
        }
    }
}

fn seconds(from_ms: u64, to_ms: u64) -> String {
    format!("{:.1}", to_ms.saturating_sub(from_ms) as f64 / 1_000.0)
}

fn clock(at_ms: u64, zone: &TimeZone) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.unwrap_or(Timestamp::MAX).to_zoned(zone.clone());
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
