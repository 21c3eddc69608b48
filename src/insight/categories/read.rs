//! Rules out of settings, and everything that is wrong with them.

use std::collections::HashMap;

use super::fields::{Fields, Mistakes, texts};
use super::node::{Mistake, Node};
use super::phrase::Phrase;
use super::read_condition::condition;
use super::read_trial::trial;
use super::rule::{AlertRule, Condition, Leaf, Rule, Who};
use super::scan::{PhraseId, ScannerBuilder};
use super::trial::Trial;
use crate::domain::{Role, Severity};

/// Rules on their way: those of all files so far.
#[derive(Debug, Default)]
pub struct Draft {
    pub scanner: ScannerBuilder,
    pub leaves: Vec<Leaf>,
    pub rules: Vec<Rule>,
    pub trials: Vec<Trial>,
    pub mistakes: Vec<Mistake>,
    /// Where each rule was first named.
    named: HashMap<String, String>,
}

/// More rules are refused: each turn is held against all of them.
pub const RULES_MAX: usize = 2_000;
/// A longer cool-down is no cool-down.
pub const DAY_S: i64 = 86_400;

impl Draft {
    /// Takes the settings of one file: `[[rule]]` and `[[test]]` tables.
    pub fn take(&mut self, file: &str, root: &Node) {
        let mut mistakes = Mistakes { file, list: Vec::new() };
        if let Some(mut fields) = Fields::of(root, "", &mut mistakes) {
            let rules = fields.list("rule", &mut mistakes);
            let tests = fields.list("test", &mut mistakes);
            fields.finish(&mut mistakes);
            for (n, node) in rules.iter().enumerate() {
                self.rule(node, &format!("rule[{n}]"), &mut mistakes);
            }
            for (n, node) in tests.iter().enumerate() {
                self.trials.extend(trial(node, &format!("test[{n}]"), &mut mistakes));
            }
        }
        self.mistakes.append(&mut mistakes.list);
    }

    fn rule(&mut self, node: &Node, path: &str, mistakes: &mut Mistakes<'_>) {
        let Some(mut fields) = Fields::of(node, path, mistakes) else { return };
        let id = self.name(&mut fields, mistakes);
        let title = fields.text("title", mistakes);
        let by = who(&mut fields, Who::Anyone, mistakes);
        let is_enabled = fields.flag("enabled", mistakes).unwrap_or(true);
        let repeats = fields.flag("repeat", mistakes).unwrap_or(false);
        let cooldown_s = fields.whole("cooldown_s", (0, DAY_S), mistakes);
        if let Some(node) = fields.take("cooldown_s").filter(|_| !repeats) {
            fields.wrong("cooldown_s", node, "needs repeat = true beside it", mistakes);
        }
        // Of a rule that fails, nothing may stay: its mistakes are told, and the settings aren't used.
        let when = match fields.take("when") {
            Some(node) => condition(self, node, &fields.field("when"), by, 0, mistakes),
            None => {
                fields.missing("when", "[rule.when] with what has to hold", mistakes);
                None
            }
        };
        if let Some(when) = &when
            && !can_begin(when)
        {
            let message =
                "holds without anything happening; add a condition that stands outside `not`";
            mistakes.note(fields.at, &fields.field("when"), message);
        }
        let alert = match fields.take("alert") {
            Some(node) => alert(node, &fields.field("alert"), title.as_deref(), mistakes),
            None => None,
        };
        fields.finish(mistakes);
        let (Some(id), Some(when)) = (id, when) else { return };
        if self.rules.len() == RULES_MAX {
            let message = format!("is one too many; keep to {RULES_MAX} rules");
            mistakes.note(node.at, path, message);
        }
        if !is_enabled {
            return;
        }
        let rule = self.rules.len();
        let mut mine = Vec::new();
        when.visit(false, &mut |condition, _| {
            if let Condition::Happened(leaf) = condition {
                mine.push(*leaf);
            }
        });
        for leaf in mine {
            self.leaves[leaf].rule = rule;
        }
        let repeat_after_ms = repeats.then(|| cooldown_s.unwrap_or(60).saturating_mul(1_000));
        let title = title.unwrap_or_else(|| id.clone());
        self.rules.push(Rule { id, title, when, repeat_after_ms, alert });
    }

    fn name(&mut self, fields: &mut Fields<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
        let Some(node) = fields.take("id") else {
            fields.missing("id", "a name such as cancellation_risk", mistakes);
            return None;
        };
        let id = fields.text("id", mistakes)?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if id.len() > 64 || !id.chars().all(fits) {
            let message = "takes small letters, digits, _ and -, 64 at most: cancellation_risk";
            fields.wrong("id", node, message, mistakes);
            return None;
        }
        let here = match node.at {
            Some((line, _)) => format!("{}:{line}", mistakes.file),
            None => mistakes.file.to_owned(),
        };
        if let Some(there) = self.named.get(&id) {
            let message = format!("{id} is taken by a rule in {there}; write another name");
            fields.wrong("id", node, message, mistakes);
            return None;
        }
        self.named.insert(id.clone(), here);
        Some(id)
    }

    /// Whether a rule of this name was written, also one that is switched off.
    pub fn knows(&self, id: &str) -> bool {
        self.named.contains_key(id)
    }

    /// Alternatives: one phrase or a list of them, each also as it is typed without apostrophes.
    pub fn phrases(
        &mut self,
        node: &Node,
        field: &str,
        mistakes: &mut Mistakes<'_>,
    ) -> Vec<PhraseId> {
        let mut all = Vec::new();
        for (text, at, field) in texts(node, field, mistakes) {
            match Phrase::parse(&text) {
                Ok(phrase) => {
                    all.extend(phrase.without_apostrophes().map(|typed| self.scanner.add(typed)));
                    all.push(self.scanner.add(phrase));
                }
                Err(message) => mistakes.note(at, &field, format!("{text:?} {message}")),
            }
        }
        all
    }
}

/// Whether something has to happen or to be so before it holds.
fn can_begin(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().any(can_begin),
        Condition::Any(parts) => parts.iter().all(can_begin),
        Condition::Not(_) => false,
        Condition::Happened(_) | Condition::Is(_) => true,
    }
}

pub fn who(fields: &mut Fields<'_>, otherwise: Who, mistakes: &mut Mistakes<'_>) -> Who {
    let Some(node) = fields.take("by") else { return otherwise };
    let Some(text) = fields.text("by", mistakes) else { return otherwise };
    Who::parse(&text).unwrap_or_else(|| {
        let message = "write customer, agent, bot, supervisor, expert or anyone";
        fields.wrong("by", node, message, mistakes);
        otherwise
    })
}

fn alert(
    node: &Node,
    path: &str,
    title: Option<&str>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AlertRule> {
    let mut fields = Fields::of(node, path, mistakes)?;
    let severity = match (fields.take("severity"), fields.text("severity", mistakes)) {
        (Some(node), Some(text)) => {
            let severity = Severity::parse(&text);
            if severity.is_none() {
                fields.wrong("severity", node, "write info, warning or critical", mistakes);
            }
            severity
        }
        (Some(_), None) => None,
        (None, _) => {
            fields.missing("severity", "info, warning or critical", mistakes);
            None
        }
    };
    let own = fields.text("title", mistakes);
    let message = fields.text("message", mistakes);
    let mut to = Vec::new();
    for (text, at, field) in fields.texts("to", mistakes).unwrap_or_default() {
        match Role::parse(&text).filter(|role| matches!(role, Role::Agent | Role::Supervisor)) {
            Some(role) if to.contains(&role) => {}
            Some(role) => to.push(role),
            None => mistakes.note(at, &field, "write agent or supervisor"),
        }
    }
    if !fields.has("to") {
        fields.missing("to", "[\"agent\"], [\"supervisor\"] or both", mistakes);
    }
    let title = own.or_else(|| title.map(str::to_owned));
    if title.is_none() {
        fields.missing("title", "what the alert is called", mistakes);
    }
    fields.finish(mistakes);
    Some(AlertRule { severity: severity?, title: title?, message, to })
}
