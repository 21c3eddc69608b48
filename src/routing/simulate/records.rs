//! Readers of recorded calls: the Technion's bank data, and our own log as CSV.

use std::collections::HashMap;

use serde::Deserialize;

use super::history::{History, Row};
use super::world::Tier;

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RecordError {
    #[error("line {line}: {reason}")]
    Line { line: u64, reason: String },
    #[error("there is no call in it")]
    Empty,
    #[error("{0} kinds of contact are too many: 255 can be simulated")]
    TooManyKinds(usize),
}

/// A call of the Technion's file; of the columns those that are needed.
#[derive(Deserialize)]
struct BankCall {
    /// 0 when unknown. Some were rounded to `6.02E+11` by a spreadsheet and name nobody either.
    customer_id: String,
    priority: u8,
    #[serde(rename = "type")]
    kind: String,
    date: String,
    vru_exit: String,
    q_time_s: f64,
    outcome: String,
    ser_time_s: f64,
    server: String,
}

/// A line of our own log: what the router saw, and what came of it.
#[derive(Deserialize)]
struct LogLine {
    /// `2026-11-22T10:00:04Z`, with or without a zone; the clock time counts as it is written.
    arrival: String,
    intent: String,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    handling_s: Option<f64>,
    #[serde(default)]
    wait_s: Option<f64>,
    abandoned: String,
    #[serde(default)]
    agent: Option<String>,
}

/// Kinds of the bank's calls; two of 31,599 have another.
const BANK_KINDS: [&str; 6] = ["PS", "NW", "NE", "TT", "IN", "PE"];

/// Customers with priority 2 count twice.
const BANK_TIERS: [(&str, f64); 2] = [("ordinary", 1.0), ("priority", 2.0)];

/// Reads `calls_1999-01.csv` and files like it. Calls that never asked for an agent (ended in the menu, or `PHANTOM`) are
/// left out.
///
/// # Errors
/// Names the line that is wrong.
pub fn technion(text: &str) -> Result<History, RecordError> {
    let mut lines = Lines::default();
    let mut again: HashMap<u64, f64> = HashMap::new();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize::<BankCall>().collect::<Vec<_>>();
    let mut calls = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        let line = at as u64 + 2;
        let wrong = |reason: &str| RecordError::Line { line, reason: reason.into() };
        let call =
            row.map_err(|_| wrong("the columns aren't those of the Technion's bank data"))?;
        let asked = call.outcome == "AGENT" || (call.outcome == "HANG" && call.q_time_s > 0.0);
        if !asked || !BANK_KINDS.contains(&call.kind.as_str()) {
            continue;
        }
        let at_s = clock(&call.vru_exit).ok_or_else(|| wrong("vru_exit isn't a time of day"))?;
        let day = day_number(&call.date).ok_or_else(|| wrong("date isn't a date"))?;
        calls.push((day * 86_400.0 + at_s, at_s, call));
    }
    // From the end: has the customer, if known, called again within a day?
    calls.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut resolved = vec![None; calls.len()];
    for (at, (moment, _, call)) in calls.iter().enumerate().rev() {
        if let Some(customer) = call.customer_id.parse().ok().filter(|customer| *customer != 0) {
            let next = again.insert(customer, *moment);
            resolved[at] = Some(next.is_none_or(|next| next - moment > 86_400.0));
        }
    }
    for ((_, at_s, call), resolved) in calls.into_iter().zip(resolved) {
        let answered = call.outcome == "AGENT";
        let row = Row {
            at_s,
            class: lines.class(&call.kind),
            tier: usize::from(call.priority == 2),
            handling_s: answered.then_some(call.ser_time_s),
            wait_s: call.q_time_s,
            gave_up: !answered,
            agent: (answered && call.server != "NO_SERVER").then(|| lines.agent(&call.server)),
            resolved,
        };
        lines.add(&call.date, row);
    }
    let tiers = BANK_TIERS.map(|(name, value)| Tier { name: name.into(), share: 1.0, value });
    lines.finish(tiers.into())
}

/// Reads our own log: CSV with the columns `arrival`, `intent`, `abandoned` (0 or 1), and if known `value` (1 for an
/// ordinary customer), `handling_s`, `wait_s`, `agent`.
///
/// # Errors
/// Names the line that is wrong.
pub fn own_log(text: &str) -> Result<History, RecordError> {
    let mut lines = Lines::default();
    let mut tiers: Vec<Tier> = Vec::new();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for (at, row) in reader.deserialize::<LogLine>().enumerate() {
        let line = at as u64 + 2;
        let wrong = |reason: &str| RecordError::Line { line, reason: reason.into() };
        let row = row.map_err(|_| {
            wrong("needs the columns arrival, intent and abandoned, and numbers where they belong")
        })?;
        let (day, time) = row
            .arrival
            .split_once(['T', ' '])
            .ok_or_else(|| wrong("arrival isn't a date and a time"))?;
        day_number(day).ok_or_else(|| wrong("arrival has no date like 2026-11-22"))?;
        let time = time.get(..8).unwrap_or(time);
        let at_s = clock(time).ok_or_else(|| wrong("arrival has no time like 10:00:04"))?;
        let gave_up = match row.abandoned.as_str() {
            "0" | "false" => false,
            "1" | "true" => true,
            _ => return Err(wrong("abandoned isn't 0 or 1")),
        };
        let sound =
            |figure: Option<f64>| figure.is_none_or(|figure| figure.is_finite() && figure >= 0.0);
        if ![row.value, row.handling_s, row.wait_s].into_iter().all(sound) {
            return Err(wrong("value, handling_s and wait_s can't be negative"));
        }
        let agent = row.agent.filter(|agent| !agent.is_empty() && !gave_up);
        let row = Row {
            at_s,
            class: lines.class(&row.intent),
            tier: tier(&mut tiers, row.value.unwrap_or(1.0)),
            handling_s: row.handling_s.filter(|_| !gave_up),
            wait_s: row.wait_s.unwrap_or(0.0),
            gave_up,
            agent: agent.map(|agent| lines.agent(&agent)),
            resolved: None,
        };
        lines.add(day, row);
    }
    lines.finish(tiers)
}

/// Values to steps of a factor of √2, so that there are few tiers.
fn tier(tiers: &mut Vec<Tier>, value: f64) -> usize {
    let step = (crate::routing::score::value(Some(value)).log2() * 2.0).round() / 2.0;
    let value = step.exp2();
    if let Some(place) = tiers.iter().position(|tier| tier.value == value) {
        return place;
    }
    tiers.push(Tier { name: format!("value {value:.2}"), share: 1.0, value });
    tiers.len() - 1
}

/// Seconds since midnight of `H:MM:SS`.
fn clock(text: &str) -> Option<f64> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let sound = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    sound.then(|| f64::from(hours * 3600 + minutes * 60 + seconds))
}

fn day_number(date: &str) -> Option<f64> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let days = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?.get_days();
    Some(f64::from(days))
}

#[derive(Default)]
struct Lines {
    history: History,
    classes: HashMap<String, usize>,
    agents: HashMap<String, usize>,
    days: std::collections::BTreeMap<String, Vec<Row>>,
}

impl Lines {
    fn class(&mut self, name: &str) -> usize {
        number(&mut self.classes, &mut self.history.classes, name)
    }

    fn agent(&mut self, name: &str) -> usize {
        number(&mut self.agents, &mut self.history.agents, name)
    }

    fn add(&mut self, day: &str, row: Row) {
        match self.days.get_mut(day) {
            Some(rows) => rows.push(row),
            None => drop(self.days.insert(day.to_owned(), vec![row])),
        }
    }

    fn finish(mut self, tiers: Vec<Tier>) -> Result<History, RecordError> {
        if self.days.is_empty() {
            return Err(RecordError::Empty);
        }
        if self.history.classes.len() > 255 {
            return Err(RecordError::TooManyKinds(self.history.classes.len()));
        }
        for (day, mut rows) in self.days {
            rows.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
            self.history.days.push((day, rows));
        }
        self.history.tiers = tiers;
        Ok(self.history)
    }
}

fn number(known: &mut HashMap<String, usize>, names: &mut Vec<String>, name: &str) -> usize {
    if let Some(number) = known.get(name) {
        return *number;
    }
    names.push(name.to_owned());
    known.insert(name.to_owned(), names.len() - 1);
    names.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANK: &str = "call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time_s,q_start,q_exit,q_time_s,outcome,ser_start,ser_exit,ser_time_s,server
1,9,2,PS,1999-01-01,0:00:31,0:00:36,5,0:00:36,0:03:09,153,HANG,0:00:00,0:00:00,0,NO_SERVER
2,0,0,PS,1999-01-01,0:34:12,0:34:23,11,0:00:00,0:00:00,0,HANG,0:00:00,0:00:00,0,NO_SERVER
3,9,2,NW,1999-01-02,0:00:30,0:00:35,6,6:55:26,6:55:43,17,AGENT,6:55:43,6:56:37,54,S01
4,6.02E+11,0,PS,1999-01-02,7:41:16,7:41:26,10,0:00:00,0:00:00,0,AGENT,7:41:25,7:44:53,208,S02
5,6.02E+11,0,PS,1999-01-02,7:42:16,7:42:26,10,0:00:00,0:00:00,0,PHANTOM,0:00:00,0:00:00,0,S02
";

    #[test]
    fn the_banks_calls_are_those_that_asked_for_an_agent() {
        let history = technion(BANK).expect("sound");
        assert_eq!(history.classes, ["PS", "NW"]);
        assert_eq!(history.agents, ["S01", "S02"]);
        let [(first, early), (second, late)] = &history.days[..] else { panic!("two days") };
        assert_eq!(
            (first.as_str(), early.len(), second.as_str(), late.len()),
            ("1999-01-01", 1, "1999-01-02", 2)
        );
        assert_eq!((early[0].gave_up, early[0].wait_s, early[0].tier), (true, 153.0, 1));
        assert_eq!(early[0].resolved, Some(false), "called again 23 h 59 min later");
        assert_eq!(
            (late[0].handling_s, late[0].agent, late[0].resolved),
            (Some(54.0), Some(0), Some(true))
        );
        assert_eq!((late[1].at_s, late[1].resolved), (7.0 * 3600.0 + 41.0 * 60.0 + 26.0, None));
    }

    #[test]
    fn our_own_log_is_read_with_and_without_the_optional_columns() {
        let text = "arrival,intent,value,handling_s,abandoned,wait_s,agent
2026-11-22T10:00:04Z,refund,2,180,0,4,ann
2026-11-22T10:00:01Z,refund,,,1,40,
2026-11-23T09:00:00+01:00,card,1.9,60,0,0,bob
";
        let history = own_log(text).expect("sound");
        assert_eq!(history.classes, ["refund", "card"]);
        assert_eq!(history.tiers.iter().map(|tier| tier.value).collect::<Vec<_>>(), [2.0, 1.0]);
        assert_eq!(history.days[0].1[0].at_s, 36_001.0, "in the order of time");
        assert_eq!(history.days[1].1[0].tier, 0, "1.9 counts like 2");
        let short = own_log("arrival,intent,abandoned\n2026-11-22 10:00:04,x,1\n").expect("sound");
        assert_eq!(short.days[0].1.len(), 1);
    }

    #[test]
    fn wrong_lines_are_named_and_not_quoted() {
        for (text, part) in [
            ("arrival,intent,abandoned\nyesterday,x,1\n", "line 2: arrival"),
            (
                "arrival,intent,abandoned\n2026-11-22 10:00:04,x,1\n2026-11-22 25:00:04,x,1\n",
                "line 3: arrival has no time",
            ),
            ("arrival,intent,abandoned\n2026-11-22 10:00:04,x,perhaps\n", "line 2: abandoned"),
            ("arrival,intent,abandoned,wait_s\n2026-11-22 10:00:04,x,1,-4\n", "line 2: value"),
            ("arrival,abandoned\n2026-11-22 10:00:04,1\n", "line 2: needs"),
            ("arrival,intent,abandoned\n", "no call"),
            ("", "no call"),
        ] {
            let error = own_log(text).map(|_| ()).expect_err("a mistake").to_string();
            assert!(error.contains(part), "{error}");
            assert!(!error.contains("yesterday") && !error.contains("perhaps"), "{error}");
        }
        assert!(technion("a,b\n1,2\n").is_err());
    }
}
