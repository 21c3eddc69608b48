//! Checks workstreams and rules: classification, ways to queues, conditions.

use serde_json::Value;

use super::check::{Check, Kind, each, ms};
use super::read::quoted;
use super::{
    AssignmentRule, Bucket, Method, Presence, Route, Rule, Share, Workstream, presence_bit, written,
};
use crate::domain::FeatureValue;
use crate::routing::condition::{Condition, Test};

/// What can be asked of an attribute.
const OPERATORS: &str = "`is`, `is_not`, `one_of`, `contains`, `starts_with`, `at_least`, `at_most`, `above`, `below`, \
                         `known`, `same_as`";
/// Queues that one rule can share its items among.
const SHARES_MAX: usize = 5;

pub fn workstream(
    check: &mut Check,
    plan: &written::Plan,
    written: &written::Workstream,
    highest: &[u8],
    at: &str,
) -> Workstream {
    let channel = check.channel(written.channel, at);
    let mut of_channel = |check: &mut Check, name: &str, place: &str| {
        let queue = check.named(Kind::Queue, name, place);
        let other = plan.queues.get(queue as usize).and_then(|queue| queue.channel);
        if let Some(other) =
            other.filter(|other| *other != channel && check.names.queues.contains_key(name))
        {
            let what = format!("`{name}` is a {} queue", other.as_str());
            check.note(place, what, format!("write a {} queue", channel.as_str()));
        }
        queue
    };
    let fallback = of_channel(
        check,
        written.fallback_queue.as_deref().unwrap_or(""),
        &format!("{at}.fallback_queue"),
    );
    if written.profiles.is_empty() {
        let what = "capacity profiles are missing: agents would get any number of items";
        check.note(&format!("{at}.profiles"), what, "write the names of one or more profiles");
    }
    let presences = match written.presences.as_slice() {
        [] => presence_bit(Presence::Available),
        some => some.iter().fold(0, |bits, presence| bits | presence_bit(*presence)),
    };
    let wait_s = written.preferred_agent_wait_s.unwrap_or(0.0);
    check.between(&format!("{at}.preferred_agent_wait_s"), wait_s, 0.0, 86_400.0, " s");
    let mut classification = Vec::new();
    for (ruleset, at) in each(&written.classification, &format!("{at}.classification")) {
        let rules = each(&ruleset.rules, &format!("{at}.rules"));
        classification.push(rules.map(|(rule, at)| classify(check, rule, highest, &at)).collect());
    }
    let mut routes = Vec::new();
    for (route, at) in each(&written.routes, &format!("{at}.routes")) {
        name(check, &route.name, &at);
        if routes.iter().any(|other: &Route| other.name == route.name) {
            let what = "another route has this name too";
            check.note(&format!("{at}.name"), what, "write another one: explanations tell it");
        }
        let mut shares = Vec::new();
        if let Some(queue) = &route.queue {
            let queue = of_channel(check, queue, &format!("{at}.queue"));
            let before = route
                .overflow
                .as_ref()
                .map(|list| check.before(list, channel, &format!("{at}.overflow")));
            shares.push(Share { queue, percent: 100.0, before });
        }
        match (route.queue.is_some(), route.shares.is_empty()) {
            (true, false) => {
                let what = "this route has a `queue` and `shares`";
                check.note(&format!("{at}.shares"), what, "write one of both")
            }
            (false, true) => check.note(
                &format!("{at}.queue"),
                "a queue is missing",
                "write `queue` or `shares`",
            ),
            (true, true) => {}
            (false, false) => shares = split(check, route, channel, &mut of_channel, &at),
        }
        routes.push(Route {
            name: route.name.clone(),
            when: optional(check, &route.when, &at),
            shares,
        });
    }
    Workstream {
        name: written.name.clone(),
        channel,
        fallback,
        skill_match: written.skill_match,
        presences,
        profiles: check.all_of(Kind::Profile, &written.profiles, &format!("{at}.profiles")),
        wrap_up_blocks: written.wrap_up_blocks.unwrap_or(true),
        preferred_wait_ms: ms(wait_s),
        classification,
        routes,
    }
}

fn split(
    check: &mut Check,
    route: &written::Route,
    channel: super::Channel,
    of_channel: &mut impl FnMut(&mut Check, &str, &str) -> u32,
    at: &str,
) -> Vec<Share> {
    let place = format!("{at}.shares");
    if route.shares.len() > SHARES_MAX {
        check.note(&place, format!("{} queues are too many", route.shares.len()), "write up to 5");
    }
    if route.overflow.is_some() {
        let what = "with shares, each has its own overflow";
        check.note(&format!("{at}.overflow"), what, "write it in the shares");
    }
    let mut shares: Vec<Share> = Vec::new();
    for (share, at) in each(&route.shares, &place) {
        let place = format!("{at}.percent");
        let percent = check.given(&place, share.percent, (0.01, 100.0), " per cent");
        let queue = of_channel(check, &share.queue, &format!("{at}.queue"));
        if shares.iter().any(|other| other.queue == queue)
            && check.names.queues.contains_key(&share.queue)
        {
            check.note(
                &format!("{at}.queue"),
                "this queue has a share already",
                "write each queue once",
            );
        }
        let before = share
            .overflow
            .as_ref()
            .map(|list| check.before(list, channel, &format!("{at}.overflow")));
        shares.push(Share { queue, percent, before });
    }
    let sum: f64 = shares.iter().map(|share| share.percent).sum();
    if (sum - 100.0).abs() > 1e-6 {
        check.note(&place, format!("the shares make {sum} per cent"), "write shares that make 100");
    }
    shares
}

fn name(check: &mut Check, name: &str, at: &str) {
    if name.trim().is_empty() {
        let instead = "write one: explanations name the rules that matched";
        check.note(&format!("{at}.name"), "a name is missing", instead);
    }
}

fn classify(check: &mut Check, rule: &written::Rule, highest: &[u8], at: &str) -> Rule {
    name(check, &rule.name, at);
    if rule.set.is_empty() && rule.skills.is_empty() && rule.profiles.is_empty() {
        check.note(at, "this rule does nothing", "write `set`, `skills` or `profiles`");
    }
    Rule {
        name: rule.name.clone(),
        when: optional(check, &rule.when, at),
        set: check.features(&rule.set, &format!("{at}.set")),
        skills: check.levels(&rule.skills, highest, &format!("{at}.skills")),
        profiles: check.all_of(Kind::Profile, &rule.profiles, &format!("{at}.profiles")),
    }
}

pub fn prioritisation(
    check: &mut Check,
    queue: &written::Queue,
    method: Method,
    at: &str,
) -> Vec<Bucket> {
    let place = format!("{at}.prioritisation");
    if !queue.prioritisation.is_empty() && method != Method::Custom {
        check.note(
            &place,
            "only method `custom` has it",
            "write method = \"custom\", or take it out",
        );
    }
    let mut found = Vec::new();
    for (bucket, at) in each(&queue.prioritisation, &place) {
        name(check, &bucket.name, &at);
        let when = optional(check, &bucket.when, &at);
        found.push(Bucket { name: bucket.name.clone(), when, order_by: bucket.order_by.clone() });
    }
    found
}

pub fn assignment(
    check: &mut Check,
    queue: &written::Queue,
    method: Method,
    at: &str,
) -> Vec<AssignmentRule> {
    let place = format!("{at}.assignment");
    match (queue.assignment.is_empty(), method == Method::Custom) {
        (false, false) => {
            check.note(
                &place,
                "only method `custom` has it",
                "write method = \"custom\", or take it out",
            );
        }
        (true, true) => check.note(&place, "method `custom` needs rules", "write one or more"),
        _ => {}
    }
    let mut found = Vec::new();
    for (rule, at) in each(&queue.assignment, &place) {
        name(check, &rule.name, &at);
        let when = optional(check, &rule.when, &at);
        let (skills, order_by) = (rule.skills, rule.order_by);
        found.push(AssignmentRule { name: rule.name.clone(), when, skills, order_by });
    }
    found
}

fn optional(check: &mut Check, written: &Option<written::Condition>, at: &str) -> Condition {
    match written {
        Some(written) => condition(check, written, &format!("{at}.when")),
        None => Condition::Always,
    }
}

fn condition(check: &mut Check, written: &written::Condition, at: &str) -> Condition {
    let mut list = |conditions: &Vec<written::Condition>, name: &str| -> Vec<Condition> {
        let place = format!("{at}.{name}");
        if conditions.is_empty() {
            check.note(&place, "there is no condition in it", "write one or more, or take it out");
        }
        each(conditions, &place).map(|(written, at)| condition(check, written, &at)).collect()
    };
    let mut found = Vec::new();
    found.extend(written.all.as_ref().map(|all| Condition::All(list(all, "all"))));
    found.extend(written.any.as_ref().map(|any| Condition::Any(list(any, "any"))));
    if let Some(not) = &written.not {
        found.push(Condition::Not(Box::new(condition(check, not, &format!("{at}.not")))));
    }
    let tests = tests(check, written, at);
    match &written.attribute {
        Some(name) if !tests.is_empty() => {
            if let Some(newer_than_s) = written.newer_than_s {
                let place = format!("{at}.newer_than_s");
                check.between(&place, newer_than_s, 1.0, 1e9, " s");
            }
            let newer_than_ms = written.newer_than_s.map(ms);
            let one = |test| Condition::Attribute { name: name.clone(), newer_than_ms, test };
            let mut all: Vec<Condition> = tests.into_iter().map(one).collect();
            found.push(if all.len() == 1 { all.remove(0) } else { Condition::All(all) });
        }
        Some(name) => {
            let what = format!("nothing is asked of the attribute {}", quoted(name));
            check.note(at, what, format!("write one of {OPERATORS}, such as is = \"gold\""));
        }
        None if !tests.is_empty() => {
            check.note(
                &format!("{at}.attribute"),
                "the attribute is missing",
                "write its name, such as `intent`",
            );
        }
        None => {}
    }
    match found.len() {
        1 => found.remove(0),
        0 => {
            if written.attribute.is_none() {
                check.note(
                    at,
                    "this condition is empty",
                    "write `attribute`, `all`, `any` or `not`",
                );
            }
            Condition::Always
        }
        _ => {
            check.note(
                at,
                "these are several conditions in one",
                "write them as a list in `all` or `any`",
            );
            Condition::Always
        }
    }
}

fn tests(check: &mut Check, written: &written::Condition, at: &str) -> Vec<Test> {
    for (part, name) in [(&written.contains, "contains"), (&written.starts_with, "starts_with")] {
        if part.as_ref().is_some_and(String::is_empty) {
            let what = "every text has nothing in it";
            check.note(&format!("{at}.{name}"), what, "write a part, or known = true");
        }
    }
    let mut value =
        |value: &Value, name: &str| -> FeatureValue { check.value(value, &format!("{at}.{name}")) };
    let mut found = Vec::new();
    found.extend(written.is.as_ref().map(|wanted| Test::Is(value(wanted, "is"))));
    found.extend(written.is_not.as_ref().map(|unwanted| Test::IsNot(value(unwanted, "is_not"))));
    found.extend(written.one_of.as_ref().map(|list| {
        let values = list.iter().enumerate();
        Test::OneOf(
            values.map(|(index, wanted)| value(wanted, &format!("one_of[{index}]"))).collect(),
        )
    }));
    found.extend(written.contains.as_ref().map(|part| Test::Contains(part.to_lowercase())));
    found.extend(written.starts_with.as_ref().map(|part| Test::StartsWith(part.to_lowercase())));
    found.extend(written.at_least.map(Test::AtLeast));
    found.extend(written.at_most.map(Test::AtMost));
    found.extend(written.above.map(Test::Above));
    found.extend(written.below.map(Test::Below));
    found.extend(written.known.map(Test::Known));
    found.extend(written.same_as.clone().map(Test::SameAs));
    found
}
