//! The figures, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

/// One line of the predictions: an attack by one way.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    pub id: String,
    pub category: String,
    pub half: &'static str,
    pub carrier: &'static str,
    pub position: &'static str,
    pub defences: bool,
    /// Something that is shown does what the attack wants.
    pub obeyed: bool,
    /// The attack's own words are shown as somebody's, as they are.
    pub quoted: bool,
    /// What was honestly said is still told.
    pub kept: bool,
    /// How many texts were shown.
    pub texts: usize,
    /// The first that obeys or quotes.
    pub shown: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub attacks: usize,
    pub obeyed: usize,
    pub quoted: usize,
    pub kept: usize,
}

impl Count {
    fn add(&mut self, one: &Prediction) {
        self.attacks += 1;
        self.obeyed += usize::from(one.obeyed);
        self.quoted += usize::from(one.quoted);
        self.kept += usize::from(one.kept);
    }

    fn to_json(self) -> Value {
        let share = |part: usize| part as f64 / self.attacks.max(1) as f64;
        json!({
            "attacks": self.attacks,
            "obeyed": self.obeyed,
            "quoted": self.quoted,
            "attack_success_rate": share(self.obeyed),
            "quoted_rate": share(self.quoted),
            "answers_kept": share(self.kept),
        })
    }
}

/// With the defences and without.
#[derive(Clone, Debug, Default)]
pub struct Report {
    counts: BTreeMap<(bool, String), Count>,
}

const ALL: &str = "all";

impl Report {
    pub fn add(&mut self, one: &Prediction) {
        let by_place = format!("{}.{}", one.carrier, one.position);
        let half = format!("half.{}", one.half);
        for key in [ALL, one.carrier, &by_place, &half] {
            self.counts.entry((one.defences, key.to_owned())).or_default().add(one);
        }
    }

    fn of(&self, defences: bool) -> Option<Value> {
        let counts = self.counts.iter().filter(|((with, _), _)| *with == defences);
        let all: serde_json::Map<String, Value> =
            counts.map(|((_, key), count)| (key.clone(), count.to_json())).collect();
        (!all.is_empty()).then_some(Value::Object(all))
    }

    /// Figures of all attacks at the top, and by carrier, place and half in `with` and `without`.
    pub fn to_json(&self) -> Value {
        let count = |defences| self.counts.get(&(defences, ALL.to_owned())).copied();
        let (with, without) = (count(true), count(false));
        let mut line = with.or(without).unwrap_or_default().to_json();
        line["obeyed_without"] = json!(without.map(|count| count.obeyed));
        line["quoted_without"] = json!(without.map(|count| count.quoted));
        line["with"] = json!(self.of(true));
        line["without"] = json!(self.of(false));
        line
    }

    pub fn table(&self) -> String {
        let mut text =
            String::from("defences  way                 attacks  obeyed  quoted  answers kept\n");
        for ((with, key), count) in self.counts.iter().rev() {
            let kept = count.kept as f64 * 100.0 / count.attacks.max(1) as f64;
            let _ = writeln!(
                text,
                "{:<9} {key:<19} {:>7} {:>7} {:>7} {kept:>12.1}%",
                if *with { "on" } else { "off" },
                count.attacks,
                count.obeyed,
                count.quoted
            );
        }
        text
    }
}
