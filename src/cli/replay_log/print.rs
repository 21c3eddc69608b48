//! What is printed about reruns.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::against::Against;
use crate::domain::{Answer, Turn};
use crate::flow::feedback::{StoredCall, StoredCard};
use crate::flow::replay::{Change, Difference, Sums};
use crate::store::ConversationRow;

/// Characters of a turn that are shown above its cards.
const SAID_CHARS: usize = 100;

pub struct Report<'a> {
    pub is_json: bool,
    /// Only the sums.
    pub is_brief: bool,
    pub out: &'a mut dyn Write,
}

impl Report<'_> {
    /// A conversation begins.
    pub fn call(&mut self, row: &ConversationRow) -> Result<()> {
        if self.is_json || self.is_brief {
            return Ok(());
        }
        let (id, turns, begun) = (&row.id, row.turn_count, row.started_at.strftime("%F %R"));
        writeln!(self.out, "{id}: {turns} turns, begun {begun} UTC")
    }

    pub fn rerun(
        &mut self,
        row: &ConversationRow,
        against: &Against,
        call: &StoredCall,
        found: &[Difference<'_>],
    ) -> Result<()> {
        if self.is_json {
            let cards: Vec<Value> = found.iter().map(|one| json_of(call, one)).collect();
            let line = json!({
                "conversation": row.id.as_str(), "against": against.to_string(), "cards": cards,
            });
            return writeln!(self.out, "{line}");
        }
        if self.is_brief {
            return Ok(());
        }
        let then = found.iter().filter(|one| one.then.is_some()).count();
        let now = found.iter().filter(|one| one.now.is_some()).count();
        writeln!(self.out, " with {against}: {then} cards then, {now} now")?;
        let mut shown = None;
        for one in found {
            if shown.replace(one.turn) != Some(one.turn)
                && let Some(turn) = call.turns.get(one.turn)
            {
                let (at, role) = (clock(turn.start_ms), turn.party.role.as_str());
                writeln!(self.out, "  {at} {role}: {}", clipped(turn.text.as_str()))?;
            }
            self.difference(call, one)?;
        }
        Ok(())
    }

    fn difference(&mut self, call: &StoredCall, one: &Difference<'_>) -> Result<()> {
        let out = &mut *self.out;
        let change = one.change.as_str();
        match (one.then, one.now) {
            (Some(then), Some(now)) if one.change == Change::Same => {
                writeln!(out, "    {change:<5} {}", card_of(then))?;
                if now.text != then.text {
                    writeln!(out, "          now {}: {}", now.title, now.text)?;
                }
            }
            (Some(then), Some(now)) => {
                writeln!(out, "    {change:<5} {}", card_of(then))?;
                writeln!(out, "          now {}", answer_of(now))?;
            }
            (Some(then), None) => writeln!(out, "    {change:<5} {}", card_of(then))?,
            (None, Some(now)) => writeln!(out, "    {change:<5} {}", answer_of(now))?,
            (None, None) => {}
        }
        let moved = one.turn_now.filter(|now| one.then.is_some() && *now != one.turn);
        if let Some(turn) = moved.and_then(|turn| call.turns.get(turn)) {
            writeln!(out, "          for the turn at {}", clock(turn.start_ms))?;
        }
        Ok(())
    }

    /// The last words.
    pub fn sums(&mut self, reruns: &[(&Against, &Sums)]) -> Result<()> {
        if self.is_json {
            let sums: Vec<Value> =
                reruns.iter().map(|(against, sums)| json_sums(against, sums)).collect();
            let line = json!({"sums": sums, "version": env!("CARGO_PKG_VERSION")});
            return writeln!(self.out, "{line}");
        }
        let width = reruns.iter().map(|(against, _)| against.to_string().len()).max().unwrap_or(0);
        writeln!(
            self.out,
            "{:width$}  calls  cards then   now  same  other  gone  new  accepted, still shown  dismissed, not shown",
            "with"
        )?;
        for (against, sums) in reruns {
            let Sums { calls, cards_then, cards_now, same, other, gone, new, .. } = sums;
            let kept = format!("{} of {}", sums.accepted_still_shown, sums.accepted);
            let avoided = format!("{} of {}", sums.dismissed_not_shown, sums.dismissed);
            writeln!(
                self.out,
                "{against:width$}  {calls:>5}  {cards_then:>10}  {cards_now:>4}  {same:>4}  {other:>5}  {gone:>4}  {new:>3}  {kept:>21}  {avoided:>20}"
            )?;
        }
        Ok(())
    }
}

fn card_of(card: &StoredCard) -> String {
    let verdict =
        card.verdict().map_or(String::new(), |verdict| format!(" [{}]", verdict.as_str()));
    format!("{}: {}{verdict}", card.title, card.text)
}

fn answer_of(answer: &Answer) -> String {
    format!("{}: {} ({})", answer.title, answer.text, answer.why.join("; "))
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(SAID_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn clock(ms: u64) -> String {
    format!("{:02}:{:02}", ms / 60_000, ms / 1_000 % 60)
}

fn json_of(call: &StoredCall, one: &Difference<'_>) -> Value {
    let turn = |number: usize| call.turns.get(number).map(|turn: &Turn| turn.id.as_str());
    let said = call.turns.get(one.turn);
    json!({
        "turn_id": turn(one.turn),
        "at_ms": said.map(|turn| turn.start_ms),
        "role": said.map(|turn| turn.party.role.as_str()),
        "said": said.map(|turn| turn.text.as_str()),
        "change": one.change.as_str(),
        "then": one.then.map(|card| json!({
            "card_id": card.id.as_str(),
            "title": card.title,
            "text": card.text,
            "article_id": card.citation.article_id.as_str(),
            "passage_id": card.citation.passage_id.as_str(),
            "verdict": card.verdict().map(|verdict| verdict.as_str()),
        })),
        "now": one.now.map(|answer| json!({
            "turn_id": one.turn_now.and_then(turn),
            "title": answer.title,
            "text": answer.text,
            "article_id": answer.citations.first().map(|cited| cited.article_id.as_str()),
            "passage_id": answer.citations.first().map(|cited| cited.passage_id.as_str()),
            "score": answer.score,
            "why": answer.why,
        })),
    })
}

fn json_sums(against: &Against, sums: &Sums) -> Value {
    json!({
        "against": against.to_string(),
        "calls": sums.calls,
        "cards_then": sums.cards_then,
        "cards_now": sums.cards_now,
        "same": sums.same,
        "other": sums.other,
        "new": sums.new,
        "gone": sums.gone,
        "accepted": sums.accepted,
        "accepted_still_shown": sums.accepted_still_shown,
        "dismissed": sums.dismissed,
        "dismissed_not_shown": sums.dismissed_not_shown,
    })
}
