//! The figures, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::data::Item;
use crate::domain::{ProvenSentence, StruckSentence};

/// One line of the predictions.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    pub id: String,
    pub dialogue: String,
    pub sentence: String,
    pub cites: Vec<String>,
    pub supported: bool,
    pub kind: String,
    pub kept: bool,
    pub fault: Option<&'static str>,
    pub why: Option<String>,
    pub support: Option<f32>,
}

impl Prediction {
    pub(super) fn of(
        item: &Item,
        dialogue: &str,
        verdict: Result<ProvenSentence, StruckSentence>,
    ) -> Self {
        let (support, struck) = match verdict {
            Ok(sentence) => (Some(sentence.support), None),
            Err(struck) => (None, Some(struck)),
        };
        Self {
            id: item.id.clone(),
            dialogue: dialogue.to_owned(),
            sentence: item.sentence.clone(),
            cites: item.cites.clone(),
            supported: item.supported,
            kind: item.kind.clone(),
            kept: struck.is_none(),
            fault: struck.as_ref().map(|struck| struck.fault.as_str()),
            why: struck.map(|struck| struck.why.as_str().to_owned()),
            support,
        }
    }
}

/// Of so many sentences, so many were judged rightly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindCount {
    pub right: usize,
    pub of: usize,
}

impl KindCount {
    fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.of += 1;
    }

    pub fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.right as f64 / self.of as f64 }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Report {
    pub altered: KindCount,
    pub supported: KindCount,
    pub altered_kinds: BTreeMap<String, KindCount>,
    pub supported_kinds: BTreeMap<String, KindCount>,
    pub faults: BTreeMap<&'static str, usize>,
    pub grounds: usize,
    pub ground_seconds: f64,
    pub check_seconds: f64,
}

impl Report {
    pub(super) fn add(&mut self, prediction: &Prediction) {
        let (all, kinds) = match prediction.supported {
            true => (&mut self.supported, &mut self.supported_kinds),
            false => (&mut self.altered, &mut self.altered_kinds),
        };
        let right = prediction.kept == prediction.supported;
        all.add(right);
        kinds.entry(prediction.kind.clone()).or_default().add(right);
        if let Some(fault) = prediction.fault {
            *self.faults.entry(fault).or_default() += 1;
        }
    }

    pub fn to_json(&self) -> Value {
        json!({
            "caught": self.altered.share(),
            "kept": self.supported.share(),
            "altered": self.altered.of,
            "supported": self.supported.of,
            "altered_by_kind": self.altered_kinds,
            "supported_by_kind": self.supported_kinds,
            "struck_by_fault": self.faults,
        })
    }

    pub fn table(&self) -> String {
        let mut text = String::new();
        let groups = [
            ("altered", "caught", self.altered, &self.altered_kinds),
            ("supported", "kept", self.supported, &self.supported_kinds),
        ];
        for (label, right, all, kinds) in groups {
            let rows =
                kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).chain([("all", all)]);
            let _ = writeln!(text, "{label:<20} {right:>7}      of   share");
            for (kind, count) in rows {
                let percent = count.share() * 100.0;
                let _ = writeln!(
                    text,
                    "  {kind:<18} {:>7} {:>7} {percent:>6.1}%",
                    count.right, count.of
                );
            }
        }
        let sentences = (self.altered.of + self.supported.of).max(1) as f64;
        let _ = writeln!(
            text,
            "{:.0} µs a sentence, {:.0} µs to read a conversation",
            self.check_seconds * 1e6 / sentences,
            self.ground_seconds * 1e6 / self.grounds.max(1) as f64
        );
        text
    }
}

/// What a scripted writer got past the verifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mix {
    pub dialogues: usize,
    pub supported: usize,
    pub supported_shown: usize,
    pub altered: usize,
    pub altered_shown: usize,
}

impl Mix {
    pub fn to_json(&self) -> Value {
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        json!({
            "dialogues": self.dialogues,
            "supported": self.supported,
            "altered": self.altered,
            "supported_kept": share(self.supported_shown, self.supported),
            "altered_shown": share(self.altered_shown, self.altered),
            "altered_of_shown": share(self.altered_shown, self.altered_shown + self.supported_shown),
        })
    }

    pub fn line(&self) -> String {
        format!(
            "a writer with {} true and {} altered sentences over {} conversations: {} true and {} altered ones shown\n",
            self.supported, self.altered, self.dialogues, self.supported_shown, self.altered_shown
        )
    }
}
