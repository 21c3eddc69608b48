//! Checks what a plan means: names that lead somewhere, limits, what a channel can do.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

pub(super) use super::kind::Kind;
use super::read::{Reading, nearest, quoted};
use super::{
    Agent, Channel, Group, Limit, Method, Mistake, Names, Plan, Profile, Queue, check_rules,
    written,
};
use crate::domain::{Feature, FeatureValue, RoutingMode};
use crate::routing::hours::{Hours, minutes};

/// Free capacity of an agent is a set of bits, one for each profile.
const PROFILES_MAX: usize = 64;

pub fn plan(reading: Reading) -> Result<Plan, Vec<Mistake>> {
    let form_is_sound = !reading.mistakes.iter().any(|mistake| mistake.place.is_empty());
    let written = reading.plan.clone();
    let shift_based = written.shift_based;
    let mut check = Check { reading, names: Names::default(), shift_based };
    let plan = if form_is_sound { check.whole(&written) } else { Plan::default() };
    let mut mistakes = check.reading.mistakes;
    mistakes.sort_by(|a, b| (a.line_column, &a.place).cmp(&(b.line_column, &b.place)));
    if mistakes.is_empty() { Ok(plan) } else { Err(mistakes) }
}

pub(super) struct Check {
    reading: Reading,
    pub(super) names: Names,
    shift_based: bool,
}

impl Check {
    pub(super) fn note(
        &mut self,
        place: &str,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.reading.note(place.to_owned(), what.into(), instead.into());
    }

    fn whole(&mut self, written: &written::Plan) -> Plan {
        self.names.skills = self.index("skills", written.skills.iter().map(|skill| &skill.name));
        self.names.hours = self.index("hours", written.hours.iter().map(|hours| &hours.name));
        self.names.profiles =
            self.index("profiles", written.profiles.iter().map(|profile| &profile.name));
        self.names.groups = self.index("groups", written.groups.iter().map(|group| &group.name));
        self.names.queues = self.index("queues", written.queues.iter().map(|queue| &queue.name));
        self.names.agents = self.index("agents", written.agents.iter().map(|agent| &agent.name));
        self.names.workstreams = self
            .index("workstreams", written.workstreams.iter().map(|workstream| &workstream.name));
        let highest: Vec<u8> =
            written.skills.iter().map(|skill| skill.highest.unwrap_or(10)).collect();
        for (at, highest) in highest.iter().enumerate() {
            if *highest == 0 {
                self.note(
                    &format!("skills[{at}].highest"),
                    "0 leaves no level to rate with",
                    "write 1 to 255",
                );
            }
        }
        let hours: Vec<Hours> =
            each(&written.hours, "hours").map(|(hours, at)| self.hours(hours, &at)).collect();
        let profiles = each(&written.profiles, "profiles")
            .map(|(profile, at)| self.profile(profile, &at))
            .collect();
        let groups: Vec<Group> = each(&written.groups, "groups")
            .map(|(group, at)| Group {
                name: group.name.clone(),
                queues: self.all_of(Kind::Queue, &group.queues, &format!("{at}.queues")),
            })
            .collect();
        let agents = each(&written.agents, "agents")
            .map(|(agent, at)| self.agent(agent, &groups, &highest, &at))
            .collect();
        let queues = each(&written.queues, "queues")
            .map(|(queue, at)| self.queue(queue, &hours, &at))
            .collect();
        let workstreams = each(&written.workstreams, "workstreams")
            .map(|(workstream, at)| {
                check_rules::workstream(self, written, workstream, &highest, &at)
            })
            .collect();
        if written.profiles.len() > PROFILES_MAX {
            let what = format!("{} capacity profiles are too many", written.profiles.len());
            self.note("profiles", what, format!("write at most {PROFILES_MAX}"));
        }
        let declines = written.declines_allowed.unwrap_or(3);
        self.between("declines_allowed", f64::from(declines), 1.0, 5.0, "");
        let block = &written.block;
        let of = |size: Option<u32>, usual: u32| size.unwrap_or(usual) as usize;
        for (name, size) in
            [("voice", block.voice), ("messaging", block.messaging), ("record", block.record)]
        {
            if let Some(size) = size {
                self.between(&format!("block.{name}"), f64::from(size), 1.0, 100_000.0, " items");
            }
        }
        Plan {
            mode: match written.mode {
                written::Mode::Off => RoutingMode::Off,
                written::Mode::Shadow => RoutingMode::Shadow,
                written::Mode::Active => RoutingMode::Active,
            },
            seed: written.seed,
            shift_based: written.shift_based,
            declines_allowed: declines.min(5) as u8,
            block: [of(block.voice, 100), of(block.messaging, 100), of(block.record, 2000)],
            skills: written.skills.iter().map(|skill| skill.name.clone()).collect(),
            profiles,
            groups,
            queues,
            agents,
            workstreams,
            names: std::mem::take(&mut self.names),
        }
    }

    fn index<'a>(
        &mut self,
        list: &str,
        names: impl Iterator<Item = &'a String>,
    ) -> HashMap<String, u32> {
        let mut index = HashMap::new();
        for (at, name) in names.enumerate() {
            let place = format!("{list}[{at}].name");
            if name.trim().is_empty() {
                self.note(&place, "a name is missing", "write one, such as name = \"billing\"");
            } else if let Some(first) = index.insert(name.clone(), at as u32) {
                self.note(
                    &place,
                    format!("{list}[{first}] has this name too"),
                    "write another one",
                );
            }
        }
        index
    }

    /// The index of a name; a name that leads nowhere is noted, with the nearest one.
    pub(super) fn named(&mut self, kind: Kind, name: &str, place: &str) -> u32 {
        let index = kind.index(&self.names);
        if let Some(found) = index.get(name) {
            return *found;
        }
        let sorted: BTreeMap<&str, u32> =
            index.iter().map(|(name, index)| (name.as_str(), *index)).collect();
        let instead = nearest(name, sorted.into_keys());
        let what = match name.is_empty() {
            true => format!("the name of a {} is missing", kind.as_str()),
            false => format!("there is no {} {}", kind.as_str(), quoted(name)),
        };
        self.note(place, what, instead);
        0
    }

    pub(super) fn all_of(&mut self, kind: Kind, names: &[String], place: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let index = self.named(kind, name, &format!("{place}[{at}]"));
            if !found.contains(&index) {
                found.push(index);
            }
        }
        found
    }

    pub(super) fn between(
        &mut self,
        place: &str,
        value: f64,
        least: f64,
        most: f64,
        unit: &str,
    ) -> bool {
        let fits = (least..=most).contains(&value);
        if !fits {
            let bound = if value < least { "too small" } else { "too large" };
            self.note(
                place,
                format!("{value}{unit} is {bound}"),
                format!("write {least} to {most}"),
            );
        }
        fits
    }

    /// As `between`, of what has to be written.
    pub(super) fn given(
        &mut self,
        place: &str,
        value: Option<f64>,
        (least, most): (f64, f64),
        unit: &str,
    ) -> f64 {
        match value {
            Some(value) => drop(self.between(place, value, least, most, unit)),
            None => self.note(place, "it is missing", format!("write {least} to {most}{unit}")),
        }
        value.unwrap_or(least)
    }

    /// Levels by skill, sorted.
    pub(super) fn levels(
        &mut self,
        levels: &BTreeMap<String, u8>,
        highest: &[u8],
        place: &str,
    ) -> Vec<(u32, u8)> {
        let mut found: Vec<(u32, u8)> = Vec::new();
        for (name, level) in levels {
            let at = format!("{place}.{name}");
            let skill = self.named(Kind::Skill, name, &at);
            let most = highest.get(skill as usize).copied().unwrap_or(10);
            self.between(&at, f64::from(*level), 1.0, f64::from(most), "");
            found.push((skill, *level));
        }
        found.sort_unstable();
        found
    }

    fn hours(&mut self, written: &written::Hours, at: &str) -> Hours {
        let zone = self.zone(&written.time_zone, &format!("{at}.time_zone"));
        let windows = self.windows(&written.open, &format!("{at}.open"));
        let mut holidays: Vec<Date> = Vec::new();
        for (day, at) in each(&written.holidays, &format!("{at}.holidays")) {
            match day.parse() {
                Ok(day) => holidays.push(day),
                Err(_) => {
                    let what = format!("{} is no day", quoted(day));
                    self.note(&at, what, "write year, month and day, such as `2026-12-25`");
                }
            }
        }
        holidays.sort_unstable();
        Hours { zone, windows, holidays }
    }

    fn windows(&mut self, open: &[written::Window], place: &str) -> [Vec<(u16, u16)>; 7] {
        let mut windows: [Vec<(u16, u16)>; 7] = Default::default();
        for (window, at) in each(open, place) {
            let mut end_of = |text: &str, name: &str| {
                let found = minutes(text);
                if found.is_none() {
                    let what = match text.is_empty() {
                        true => "a time is missing".to_owned(),
                        false => format!("{} is no time of a day", quoted(text)),
                    };
                    self.note(
                        &format!("{at}.{name}"),
                        what,
                        "write hours and minutes, such as `08:30`, to `24:00`",
                    );
                }
                found.unwrap_or_default()
            };
            let (from, to) = (end_of(&window.from, "from"), end_of(&window.to, "to"));
            if window.from == window.to && minutes(&window.from).is_some() {
                let what = format!("{} is where it begins", quoted(&window.to));
                let instead = "write a later time, or 00:00 to 24:00 for a whole day";
                self.note(&format!("{at}.to"), what, instead);
            }
            if window.days.is_empty() {
                self.note(
                    &format!("{at}.days"),
                    "a day is missing",
                    "write days, such as [\"monday\"]",
                );
            }
            for day in window.days.iter().map(|day| *day as usize) {
                if from < to {
                    windows[day].push((from, to));
                } else {
                    windows[day].push((from, 1440));
                    windows[(day + 1) % 7].push((0, to));
                }
            }
        }
        windows.iter_mut().for_each(|day| day.sort_unstable());
        windows
    }

    fn zone(&mut self, name: &str, place: &str) -> TimeZone {
        TimeZone::get(name).unwrap_or_else(|_| {
            let what = match name.is_empty() {
                true => "a time zone is missing".to_owned(),
                false => format!("there is no such time zone as {}", quoted(name)),
            };
            self.note(place, what, "write a name such as `Europe/Berlin` or `UTC`");
            TimeZone::UTC
        })
    }

    fn profile(&mut self, written: &written::Profile, at: &str) -> Profile {
        let place = format!("{at}.limit");
        match written.limit {
            None => {
                self.note(&place, "a limit is missing", "write how many items, such as limit = 3")
            }
            Some(limit) => {
                self.between(&place, f64::from(limit), 1.0, 10_000.0, "");
            }
        }
        Profile {
            name: written.name.clone(),
            limit: written.limit.unwrap_or(1) as i32,
            reset: written.reset,
            blocks: written.blocks,
        }
    }

    fn agent(
        &mut self,
        written: &written::Agent,
        groups: &[Group],
        highest: &[u8],
        at: &str,
    ) -> Agent {
        let mut queues = self.all_of(Kind::Queue, &written.queues, &format!("{at}.queues"));
        let of_agent = self.all_of(Kind::Group, &written.groups, &format!("{at}.groups"));
        for group in of_agent.iter().filter_map(|group| groups.get(*group as usize)) {
            for queue in &group.queues {
                if !queues.contains(queue) {
                    queues.push(*queue);
                }
            }
        }
        let mut profiles: Vec<(u32, Option<i32>)> = Vec::new();
        for (profile, at) in each(&written.profiles, &format!("{at}.profiles")) {
            let index = self.named(Kind::Profile, &profile.profile, &format!("{at}.profile"));
            if let Some(limit) = profile.limit {
                self.between(&format!("{at}.limit"), f64::from(limit), 0.0, 10_000.0, "");
            }
            profiles.push((index, profile.limit.map(|limit| limit as i32)));
        }
        profiles.sort_unstable();
        profiles.dedup_by_key(|(profile, _)| *profile);
        let zone = match &written.time_zone {
            Some(name) => self.zone(name, &format!("{at}.time_zone")),
            None => TimeZone::UTC,
        };
        let shifts = written.shifts.as_ref().map(|shifts| Hours {
            zone: zone.clone(),
            windows: self.windows(shifts, &format!("{at}.shifts")),
            holidays: Vec::new(),
        });
        if self.shift_based && shifts.is_none() {
            let what = "with shift_based, nobody without shifts is ever given work";
            let instead = "write them, such as shifts = [{ days = [\"monday\"], from = \"08:00\", to = \"16:00\" }], \
                           or [] for none";
            self.note(&format!("{at}.shifts"), what, instead);
        }
        Agent {
            name: written.name.clone(),
            queues,
            groups: of_agent,
            skills: self.levels(&written.skills, highest, &format!("{at}.skills")),
            profiles,
            zone,
            shifts,
            attributes: self.features(&written.attributes, &format!("{at}.attributes")),
        }
    }

    /// Attributes that the plan itself states.
    pub(super) fn features(
        &mut self,
        values: &BTreeMap<String, Value>,
        place: &str,
    ) -> Vec<Feature> {
        let mut found = Vec::new();
        for (name, value) in values {
            let value = self.value(value, &format!("{place}.{name}"));
            found.push(Feature {
                name: name.clone().into(),
                value,
                source: "plan".into(),
                as_of_ms: u64::MAX,
            });
        }
        found
    }

    pub(super) fn value(&mut self, value: &Value, place: &str) -> FeatureValue {
        match value {
            Value::String(text) => FeatureValue::Text(text.clone()),
            Value::Bool(flag) => FeatureValue::Flag(*flag),
            Value::Number(number) => FeatureValue::Number(number.as_f64().unwrap_or(f64::NAN)),
            other => {
                let kind = if other.is_array() { "a list" } else { "a table" };
                let what = format!("{kind} can't be compared");
                self.note(place, what, "write a text, a number, true or false");
                FeatureValue::Flag(false)
            }
        }
    }

    fn queue(&mut self, written: &written::Queue, hours: &[Hours], at: &str) -> Queue {
        let channel = self.channel(written.channel, at);
        let usual =
            if channel == Channel::Voice { Method::LeastActive } else { Method::HighestCapacity };
        let method = written.method.unwrap_or(usual);
        if method == Method::LeastActive && channel != Channel::Voice {
            self.note(
                &format!("{at}.method"),
                "least_active is for voice queues only",
                "write `advanced_round_robin` or `highest_capacity`",
            );
        }
        let of_queue = written.hours.as_ref().and_then(|name| {
            let index = self.named(Kind::Hours, name, &format!("{at}.hours"));
            hours.get(index as usize).cloned()
        });
        for (name, value) in [("target_s", written.target_s), ("handling_s", written.handling_s)] {
            if let Some(value) = value {
                self.between(&format!("{at}.{name}"), value, 1.0, 604_800.0, " s");
            }
        }
        let before =
            self.before(&written.overflow.before, channel, &format!("{at}.overflow.before"));
        let limits =
            before.iter().filter(|before| matches!(before.limit, Limit::OutOfHours)).count();
        if limits > 0 && written.hours.is_none() {
            self.note(
                &format!("{at}.hours"),
                "out_of_hours needs hours",
                "write the name of operating hours",
            );
        }
        let mut after =
            self.after(&written.overflow.after, channel, &format!("{at}.overflow.after"));
        // A name that is missing or there twice is told already.
        if let Some(own) = self.names.queues.get(&written.name).copied() {
            for (before, at) in each(&before, &format!("{at}.overflow.before")) {
                self.elsewhere(&before.action, own, &at);
            }
            for (after, at) in each(&after, &format!("{at}.overflow.after")) {
                self.elsewhere(&after.action, own, &at);
            }
        }
        after.sort_by_key(|after| after.wait_ms);
        let bullseye = written.bullseye.as_ref().map(|bullseye| {
            if method == Method::Custom {
                let what = "bullseye routing doesn't go with method `custom`";
                self.note(&format!("{at}.bullseye"), what, "write another method, or no bullseye");
            }
            self.bullseye(bullseye, &format!("{at}.bullseye"))
        });
        Queue {
            name: written.name.clone(),
            channel,
            priority: written.priority.unwrap_or(100),
            method,
            hours: of_queue,
            target_s: written.target_s.unwrap_or(20.0),
            handling_s: written.handling_s.unwrap_or(300.0),
            answer_within_ms: self.answer_within_ms(written.answer_within_s, channel, at),
            before,
            after,
            bullseye,
            prioritisation: check_rules::prioritisation(self, written, method, at),
            assignment: check_rules::assignment(self, written, method, at),
        }
    }

    pub(super) fn channel(&mut self, channel: Option<Channel>, at: &str) -> Channel {
        if channel.is_none() {
            let instead = "write `voice`, `messaging` or `record`";
            self.note(&format!("{at}.channel"), "a channel is missing", instead);
        }
        channel.unwrap_or_default()
    }
}

/// Elements with their places.
pub(super) fn each<'a, T>(
    list: &'a [T],
    place: &str,
) -> impl Iterator<Item = (&'a T, String)> + use<'a, T> {
    let place = place.to_owned();
    list.iter().enumerate().map(move |(at, element)| (element, format!("{place}[{at}]")))
}

pub(super) fn ms(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0).round() as u64
}
