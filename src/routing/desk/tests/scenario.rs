//! A scenario's lines: a time, what happens, and what must follow.
//!
//! ```text
//! 0s    ana available
//! 10s   offer i1 calls tier=gold intent:refund=0.8   -> i1 in gold, i1 to ana
//! 10s   + offer i2 calls                             with `+`, it is weighed together with the next line
//! 20s   used ana call 1/2
//! ```
//!
//! After `->` stands all that is assigned, advised or overflows, in this order; `i1 in gold` (queued) and `i1 waits`
//! (nobody is free) are looked for only where they are written. Times count from Monday, 23 November 2026, 00:00 UTC.

use super::plan_of;
use crate::domain::{Decision, Feature, FeatureValue, Intent, WorkItemId};
use crate::routing::desk::{Desk, Input, Joining, Offer, Output, Target};
use crate::routing::plan::Presence;

pub const MONDAY_MS: u64 = 1_795_392_000_000;

pub struct Run {
    desk: Desk,
    outputs: Vec<Output>,
    decisions: Vec<Decision>,
}

impl Run {
    pub fn all(plan: &str, steps: &str) -> Result<(), String> {
        let mut run = Self {
            desk: Desk::new(plan_of(plan), "d-"),
            outputs: Vec::new(),
            decisions: Vec::new(),
        };
        for line in steps.lines().map(|line| line.split(" #").next().unwrap_or("").trim()) {
            if !line.is_empty() {
                run.line(line).map_err(|error| format!("{line}: {error}"))?;
                super::audit::audit(&run.desk).map_err(|error| format!("{line}: {error}"))?;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let (what, expected) = line.split_once("->").map_or((line, ""), |(a, b)| (a, b));
        let mut words: Vec<&str> = what.split_whitespace().collect();
        let now_ms = MONDAY_MS + ms(words.remove(0))?;
        let is_more = words.first() == Some(&"+");
        if is_more {
            words.remove(0);
        }
        if self.is_check(&words, now_ms)? {
            return Ok(());
        }
        let input = input(&words, now_ms)?;
        match is_more {
            true => self.desk.note(input, now_ms),
            false => self.desk.handle(input, now_ms),
        }
        .map_err(|error| error.to_string())?;
        if is_more {
            return Ok(());
        }
        self.outputs.extend(std::iter::from_fn(|| self.desk.poll()));
        let outputs = std::mem::take(&mut self.outputs);
        for output in &outputs {
            if let Output::Decided(decision) = output {
                self.decisions.push(decision.clone());
            }
        }
        compare(&outputs, expected)
    }

    /// `used AGENT PROFILE 1/2`, `on AGENT true`, `why ITEM text…`, `route ITEM rule`, `at ITEM place`.
    fn is_check(&self, words: &[&str], now_ms: u64) -> Result<bool, String> {
        match words {
            ["used", agent, profile, wanted] => {
                let view = self.desk.agent(agent).ok_or("no such agent")?;
                let slot = view.capacity.iter().find(|(name, ..)| name == profile);
                let (_, used, limit) = slot.ok_or("no such profile")?;
                let found = format!("{used}/{limit}");
                (found == *wanted).then_some(true).ok_or(format!("found {found}"))
            }
            ["on", agent, wanted] => {
                let view = self.desk.agent(agent).ok_or("no such agent")?;
                let found = view.on_shift.to_string();
                (found == *wanted).then_some(true).ok_or(format!("found {found}"))
            }
            ["why", item, text @ ..] => {
                let decision =
                    self.decisions.iter().rev().find(|decision| decision.item.as_str() == *item);
                let decision = decision.ok_or("no decision")?;
                let told = format!("{} | {}", decision.reason, decision.would_change.join(" | "));
                told.contains(&text.join(" ")).then_some(true).ok_or(told)
            }
            ["term", item, name, wanted] => {
                let decision =
                    self.decisions.iter().rev().find(|decision| decision.item.as_str() == *item);
                let chosen =
                    decision.and_then(|decision| decision.chosen.as_ref()).ok_or("no decision")?;
                let term =
                    chosen.terms.iter().find(|term| term.name == *name).ok_or("no such term")?;
                let found = term.value.to_string();
                (found == *wanted).then_some(true).ok_or(format!("found {found}"))
            }
            ["at", item, wanted] => {
                let view = self.desk.item(&WorkItemId::from(*item));
                let found = view.map_or("gone", |view| view.place);
                (found == *wanted).then_some(true).ok_or(format!("found {found}"))
            }
            ["predicted", queue, wanted] => {
                let queues = self.desk.queues(now_ms);
                let view = queues.iter().find(|view| view.name == *queue).ok_or("no such queue")?;
                let found = view
                    .predicted_wait_ms
                    .map_or("never".to_owned(), |ms| format!("{}s", ms / 1000));
                (found == *wanted).then_some(true).ok_or(format!("found {found}"))
            }
            _ => Ok(false),
        }
    }
}

fn compare(outputs: &[Output], expected: &str) -> Result<(), String> {
    let found: Vec<String> = outputs.iter().filter_map(told).collect();
    let expected: Vec<&str> =
        expected.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_soft = |part: &str| part.contains(" in ") || part.ends_with(" waits");
    let firm = |list: &[String]| -> Vec<String> {
        list.iter().filter(|part| !is_soft(part)).cloned().collect()
    };
    let wanted: Vec<String> = expected.iter().map(|part| (*part).to_owned()).collect();
    let soft_is_there = wanted.iter().all(|part| !is_soft(part) || found.contains(part));
    if soft_is_there && firm(&found) == firm(&wanted) {
        Ok(())
    } else {
        Err(format!("found {found:?}"))
    }
}

fn told(output: &Output) -> Option<String> {
    Some(match output {
        Output::Queued(queued) => format!("{} in {}", queued.item, queued.queue),
        Output::Overflowed(over) => match &over.to {
            Some(to) => format!("{} overflows {} {to}", over.item, over.action.as_str()),
            None => format!("{} overflows {}", over.item, over.action.as_str()),
        },
        Output::Unanswered(unanswered) => {
            format!("{} unanswered by {}", unanswered.item, unanswered.agent)
        }
        Output::Assigned(assigned) => format!("{} to {}", assigned.item, assigned.agent),
        Output::Decided(decision) => match &decision.chosen {
            None => format!("{} waits", decision.item),
            Some(chosen) if decision.mode == crate::domain::RoutingMode::Shadow => {
                format!("{} advised {}", decision.item, chosen.agent)
            }
            Some(_) => return None,
        },
    })
}

/// `90s`, `5m`, `2h`, `1d`, or several of them such as `1d9h`.
fn ms(text: &str) -> Result<u64, String> {
    let (mut total, mut number) = (0, String::new());
    for letter in text.chars() {
        let unit = match letter {
            's' => 1000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => {
                number.push(letter);
                continue;
            }
        };
        total += number.parse::<u64>().map_err(|_| format!("`{text}` is no time"))? * unit;
        number.clear();
    }
    Ok(total)
}

fn times(text: &str) -> Result<Vec<(u64, u64)>, String> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (from, to) = part.split_once('-').ok_or("write from-to")?;
            Ok((MONDAY_MS + ms(from)?, MONDAY_MS + ms(to)?))
        })
        .collect()
}

fn input(words: &[&str], now_ms: u64) -> Result<Input, String> {
    let item = |name: &str| WorkItemId::from(name);
    Ok(match words {
        ["tick"] => Input::Tick,
        ["offer", id, workstream, rest @ ..] => {
            let (features, intents) = known(rest, now_ms);
            let preferred = rest.iter().filter_map(|word| word.strip_prefix("prefer:"));
            Input::Offered(Offer {
                item: item(id),
                workstream: (*workstream).to_owned(),
                features,
                intents,
                preferred: preferred.map(str::to_owned).collect(),
            })
        }
        ["update", id, rest @ ..] => {
            let (features, intents) = known(rest, now_ms);
            Input::Updated {
                item: item(id),
                features,
                intents: (!intents.is_empty()).then_some(intents),
            }
        }
        ["end", id] => Input::Ended { item: item(id) },
        ["release", id] => Input::Released { item: item(id) },
        ["accept", id] => Input::Accepted { item: item(id) },
        ["decline", id] => Input::Declined { item: item(id) },
        ["give", id, agent] => Input::Assigned {
            item: item(id),
            agent: (*agent).to_owned(),
            by: "supervisor".to_owned(),
        },
        ["move", id, queue] => Input::Transferred {
            item: item(id),
            to: Target::Queue((*queue).to_owned()),
            by: "agent".to_owned(),
        },
        [how @ ("consult" | "monitor"), id, agent] => Input::Joined {
            item: item(id),
            agent: (*agent).to_owned(),
            how: if *how == "consult" { Joining::Consult } else { Joining::Monitor },
        },
        ["limit", agent, profile, limit] => Input::LimitSet {
            agent: (*agent).to_owned(),
            profile: (*profile).to_owned(),
            limit: limit.parse().ok(),
        },
        ["join", agent, queue] => {
            Input::QueueJoined { agent: (*agent).to_owned(), queue: (*queue).to_owned() }
        }
        ["leave", agent, queue] => {
            Input::QueueLeft { agent: (*agent).to_owned(), queue: (*queue).to_owned() }
        }
        ["shift", agent, rest @ ..] => Input::Shifts {
            agent: (*agent).to_owned(),
            booked: times(rest.first().unwrap_or(&""))?,
            off: times(rest.get(2).unwrap_or(&""))?,
        },
        ["measured", agent, kind, handled, resolved, total_s] => {
            let number = |text: &str| text.parse::<f64>().map_err(|error| error.to_string());
            Input::Measured {
                agent: (*agent).to_owned(),
                kind: (*kind).to_owned(),
                handled: number(handled)?,
                resolved: number(resolved)?,
                total_s: number(total_s)?,
            }
        }
        [agent, presence] => {
            let all = [
                Presence::Available,
                Presence::Busy,
                Presence::DoNotDisturb,
                Presence::Away,
                Presence::Offline,
            ];
            let found = all.into_iter().find(|known| known.as_str() == *presence);
            let presence = found.ok_or("this line says nothing that is known")?;
            Input::PresenceChanged { agent: (*agent).to_owned(), presence }
        }
        _ => return Err("this line says nothing that is known".to_owned()),
    })
}

fn known(words: &[&str], now_ms: u64) -> (Vec<Feature>, Vec<Intent>) {
    let (mut features, mut intents) = (Vec::new(), Vec::new());
    for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
        match name.strip_prefix("intent:") {
            Some(label) => {
                let probability = value.parse().expect("a probability");
                intents.push(Intent { label: label.to_owned(), probability });
            }
            None => {
                let value = match (value.parse::<f64>(), value) {
                    (Ok(number), _) => FeatureValue::Number(number),
                    (_, "true") => FeatureValue::Flag(true),
                    (_, "false") => FeatureValue::Flag(false),
                    _ => FeatureValue::Text(value.to_owned()),
                };
                let (name, source) = (name.to_owned().into(), "test".into());
                features.push(Feature { name, value, source, as_of_ms: now_ms });
            }
        }
    }
    (features, intents)
}
