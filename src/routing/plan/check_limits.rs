//! Checks overflow and bullseye levels: which limits and actions a channel can have, and how far apart levels are.

use super::check::{Check, Kind, each, ms};
use super::read::quoted;
use super::{
    Action, ActionKind, After, Before, BeforeWhen, Bullseye, Channel, Level, Limit, written,
};

/// An offer that nobody answers goes on to somebody else.
const ANSWER_WITHIN_S: f64 = 30.0;

impl Check {
    pub(super) fn answer_within_ms(
        &mut self,
        written: Option<f64>,
        channel: Channel,
        at: &str,
    ) -> Option<u64> {
        let usual = if channel == Channel::Record { 0.0 } else { ANSWER_WITHIN_S };
        let within_s = written.unwrap_or(usual);
        if within_s == 0.0 {
            return None;
        }
        self.between(&format!("{at}.answer_within_s"), within_s, 5.0, 86_400.0, " s");
        Some(ms(within_s))
    }

    pub(super) fn before(
        &mut self,
        written: &[written::Before],
        channel: Channel,
        place: &str,
    ) -> Vec<Before> {
        let mut found = Vec::new();
        for (before, at) in each(written, place) {
            let when = before.when.unwrap_or_default();
            if before.when.is_none() {
                let instead = "write `out_of_hours`, `item_limit` or `predicted_wait`";
                self.note(&format!("{at}.when"), "a condition is missing", instead);
            }
            let fits = match channel {
                Channel::Voice => true,
                Channel::Messaging => when != BeforeWhen::PredictedWait,
                Channel::Record => when == BeforeWhen::OutOfHours,
            };
            if !fits {
                let what = format!("a {} queue can't have `{}`", channel.as_str(), when.as_str());
                let instead = match channel {
                    Channel::Messaging => "write `out_of_hours` or `item_limit`, or take it out",
                    _ => "write `out_of_hours`, or take it out",
                };
                self.note(&format!("{at}.when"), what, instead);
            }
            let limit = match when {
                BeforeWhen::OutOfHours => Limit::OutOfHours,
                BeforeWhen::ItemLimit => {
                    let (place, limit) = (format!("{at}.limit"), before.limit.map(f64::from));
                    self.given(&place, limit, (1.0, 100.0), " items");
                    Limit::Items(before.limit.unwrap_or(1))
                }
                BeforeWhen::PredictedWait => {
                    let place = format!("{at}.wait_s");
                    let wait_s = self.given(&place, before.wait_s, (30.0, 3600.0), " s");
                    Limit::PredictedWait { wait_ms: ms(wait_s) }
                }
            };
            let possible: &[ActionKind] = match channel {
                Channel::Voice => &[
                    ActionKind::QueueAnyway,
                    ActionKind::Callback,
                    ActionKind::End,
                    ActionKind::Queue,
                    ActionKind::External,
                    ActionKind::Voicemail,
                ],
                Channel::Messaging => {
                    &[ActionKind::QueueAnyway, ActionKind::End, ActionKind::Queue]
                }
                Channel::Record => &[ActionKind::QueueAnyway, ActionKind::Queue],
            };
            let action = self.action(before.action, &before.queue, &before.number, possible, &at);
            found.push(Before { limit, action });
        }
        found
    }

    pub(super) fn after(
        &mut self,
        written: &[written::After],
        channel: Channel,
        place: &str,
    ) -> Vec<After> {
        let mut found = Vec::new();
        for (after, at) in each(written, place) {
            let (least, most, possible): (f64, f64, &[ActionKind]) = match channel {
                Channel::Voice => (
                    60.0,
                    3600.0,
                    &[
                        ActionKind::Callback,
                        ActionKind::Queue,
                        ActionKind::External,
                        ActionKind::Voicemail,
                    ],
                ),
                Channel::Messaging => (60.0, 172_800.0, &[ActionKind::End, ActionKind::Queue]),
                Channel::Record => (180.0, 172_800.0, &[ActionKind::Queue]),
            };
            let wait_s = self.given(&format!("{at}.wait_s"), after.wait_s, (least, most), " s");
            let action = self.action(after.action, &after.queue, &after.number, possible, &at);
            found.push(After { wait_ms: ms(wait_s), action });
        }
        found
    }

    fn action(
        &mut self,
        kind: Option<ActionKind>,
        queue: &Option<String>,
        number: &Option<String>,
        possible: &[ActionKind],
        at: &str,
    ) -> Action {
        let words: Vec<&str> = possible.iter().map(|kind| kind.as_str()).collect();
        let words = format!("write one of `{}`", words.join("`, `"));
        match kind {
            None => self.note(&format!("{at}.action"), "an action is missing", words),
            Some(kind) if !possible.contains(&kind) => {
                self.note(
                    &format!("{at}.action"),
                    format!("`{}` isn't possible here", kind.as_str()),
                    words,
                );
            }
            Some(_) => {}
        }
        match kind.unwrap_or_default() {
            ActionKind::QueueAnyway => Action::QueueAnyway,
            ActionKind::Callback => Action::Callback,
            ActionKind::End => Action::End,
            ActionKind::Voicemail => Action::Voicemail,
            ActionKind::Queue => Action::Queue(self.named(
                Kind::Queue,
                queue.as_deref().unwrap_or(""),
                &format!("{at}.queue"),
            )),
            ActionKind::External => {
                let number = number.clone().unwrap_or_default();
                let digits = number.strip_prefix('+').unwrap_or("");
                if !(7..=15).contains(&digits.len())
                    || !digits.bytes().all(|byte| byte.is_ascii_digit())
                {
                    let instead = "write it with its country, such as `+4930123456`";
                    let what = match number.is_empty() {
                        true => "a telephone number is missing".to_owned(),
                        false => format!("{} is no international number", quoted(&number)),
                    };
                    self.note(&format!("{at}.number"), what, instead);
                }
                Action::External(number)
            }
        }
    }

    /// A queue that overflows to itself makes an item wait anew, again and again.
    pub(super) fn elsewhere(&mut self, action: &Action, queue: u32, at: &str) {
        if matches!(action, Action::Queue(other) if *other == queue) {
            let what = "this is the queue that overflows";
            self.note(&format!("{at}.queue"), what, "write another one");
        }
    }

    pub(super) fn bullseye(&mut self, written: &written::Bullseye, at: &str) -> Bullseye {
        let mut levels: Vec<Level> = Vec::new();
        if written.levels.is_empty() {
            self.note(&format!("{at}.levels"), "a level is missing", "write whom to ask first");
        }
        for (number, (level, at)) in each(&written.levels, &format!("{at}.levels")).enumerate() {
            let wait_s = level.wait_s.unwrap_or(0.0);
            let place = format!("{at}.wait_s");
            let last_s = levels.last().map_or(0.0, |level| level.wait_ms as f64 / 1000.0);
            let far_enough = wait_s == last_s || wait_s >= last_s + 10.0;
            match number {
                0 if wait_s != 0.0 => {
                    let what = format!("level 0 begins at once, and not after {wait_s} s");
                    self.note(&place, what, "write 0");
                }
                0 => {}
                1 if wait_s == 0.0 => {}
                _ if wait_s < 30.0 => {
                    self.note(
                        &place,
                        format!("{wait_s} s is too short"),
                        "write at least 30 (level 1 also 0)",
                    );
                }
                _ if !far_enough => {
                    let what =
                        format!("{wait_s} s is neither level {}'s wait nor 10 s more", number - 1);
                    self.note(
                        &place,
                        what,
                        format!("write {last_s} or at least {}", last_s + 10.0),
                    );
                }
                _ => {}
            }
            let groups = self.all_of(Kind::Group, &level.groups, &format!("{at}.groups"));
            if groups.is_empty() {
                self.note(
                    &format!("{at}.groups"),
                    "a group is missing",
                    "write whom to ask on this level",
                );
            }
            levels.push(Level { wait_ms: ms(wait_s), groups });
        }
        Bullseye { levels, fallback: written.fallback }
    }
}
