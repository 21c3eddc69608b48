//! From a classified item to its queue: rules, shares, overflow before queueing, the fallback.

use super::condition::Scope;
use super::overflow::{self, Load};
use super::plan::{Action, Limit, Plan, Route, Share, Workstream};
use crate::domain::Feature;

/// Where an item goes, and why.
#[derive(Clone, Debug)]
pub struct Routed {
    pub queue: u32,
    /// The rule that was applied; none for the fallback queue.
    pub rule: Option<String>,
    /// All rules that matched, each with the queue that it led to.
    pub matched: Vec<(String, u32)>,
    /// Of 100, where the rule shares its items.
    pub percent: Option<f64>,
    /// The limit that every matching queue, or this one, exceeds, and what is done.
    pub overflow: Option<(Limit, Action)>,
    pub why: String,
}

/// Applies the rules of a workstream. `load` tells how full a queue is; none of one that isn't checked.
pub fn route(
    plan: &Plan,
    workstream: &Workstream,
    item: &str,
    features: &[Feature],
    load: impl Fn(u32) -> Option<Load>,
    now_ms: u64,
) -> Routed {
    let scope = Scope::of_item(features, now_ms);
    let picked: Vec<(&Route, &Share)> = workstream
        .routes
        .iter()
        .filter(|route| route.when.holds(scope))
        .filter_map(|route| Some((route, pick(route, plan.seed, item)?)))
        .collect();
    let matched = picked.iter().map(|(route, share)| (route.name.clone(), share.queue)).collect();
    let over = |share: &Share| {
        let queue = &plan.queues[share.queue as usize];
        let limits = share.before.as_deref().unwrap_or(&queue.before);
        overflow::before(queue, limits, load(share.queue)?, now_ms).cloned()
    };
    let limits: Vec<_> = picked.iter().map(|(_, share)| over(share)).collect();
    let chosen = match limits.iter().position(Option::is_none) {
        Some(first) => Some(first),
        None => soonest(plan, &picked, now_ms),
    };
    let Some(chosen) = chosen else {
        return Routed {
            queue: workstream.fallback,
            rule: None,
            matched,
            percent: None,
            overflow: None,
            why: "no rule matched, so it goes to the fallback queue, whatever its overflow"
                .to_owned(),
        };
    };
    let (rule, share) = picked[chosen];
    let overflow = limits[chosen].clone().map(|before| (before.limit, before.action));
    let why = match &overflow {
        None if chosen == 0 => format!("rule `{}` is the first that matched", rule.name),
        None => {
            format!("rule `{}` is the first that matched whose queue isn't overflowing", rule.name)
        }
        Some((limit, _)) => format!(
            "all queues of matching rules overflow, this one is available first: {}",
            overflow::told(limit)
        ),
    };
    Routed {
        queue: share.queue,
        rule: Some(rule.name.clone()),
        matched,
        percent: (rule.shares.len() > 1).then_some(share.percent),
        overflow,
        why,
    }
}

/// Of queues that all overflow, the one that is open, else the one that opens next; the first of equals.
fn soonest(plan: &Plan, picked: &[(&Route, &Share)], now_ms: u64) -> Option<usize> {
    let opens_ms = |(_, share): &(&Route, &Share)| match &plan.queues[share.queue as usize].hours {
        Some(hours) => hours.next_open_ms(now_ms).unwrap_or(u64::MAX),
        None => now_ms,
    };
    picked.iter().map(opens_ms).enumerate().min_by_key(|(_, at_ms)| *at_ms).map(|(index, _)| index)
}

/// The share of an item. It is drawn from seed, rule and item alone, so asking again gives the same one.
fn pick<'a>(route: &'a Route, seed: u64, item: &str) -> Option<&'a Share> {
    let drawn = unit(seed, &route.name, item) * 100.0;
    let mut sum = 0.0;
    route
        .shares
        .iter()
        .find(|share| {
            sum += share.percent;
            drawn < sum
        })
        .or(route.shares.last())
}

/// Evenly spread over 0 to 1: FNV-1a over the names, then the finaliser of SplitMix64.
fn unit(seed: u64, rule: &str, item: &str) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in seed.to_le_bytes().iter().chain(rule.as_bytes()).chain([&0]).chain(item.as_bytes())
    {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut z = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
