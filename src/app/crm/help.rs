//! Colleagues: who knows about this, and a message to them with all they need.

use std::collections::BTreeMap;

use super::CrmDesk;
use super::desk::failed;
use crate::app::links;
use crate::connect::destination::DeliveryError;
use crate::domain::{
    ConversationId, DedupeKey, Effect, ErrorKind, Identity, Redacted, TeamMessage, TenantId,
    Wording,
};
use crate::flow::feedback::outcome::{Ending, Planned, Rule};
use crate::insight::redaction;
use crate::serve::{Expert, Failure, Known, SwarmOrder};

/// Cases that are looked at, and colleagues that are named.
const CASES_MAX: usize = 50;
const EXPERTS_MAX: usize = 5;
const SUBJECTS_MAX: usize = 3;
/// Shorter words are in every case.
const WORD_MIN: usize = 4;
const WORDS_MAX: usize = 6;

impl CrmDesk {
    pub(super) async fn find_experts(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Vec<Expert>, Failure> {
        let Some(crm) = &self.crm else { return Ok(Vec::new()) };
        let (ending, known) = self.read(tenant, conversation).await?;
        let said = known.row.and_then(|row| row.last_turn).map(|turn| turn.text);
        let matter = ending.matter.map(|matter| matter.as_str().to_owned()).or(said);
        let words = words_of(&matter.unwrap_or_default());
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let solved = match crm.solved_cases(&words, CASES_MAX).await {
            Ok(solved) => solved,
            Err(DeliveryError::Unsupported(_)) => return Ok(Vec::new()),
            Err(error) => return Err(Failure::of(&error)),
        };
        let mut by_owner: BTreeMap<String, Expert> = BTreeMap::new();
        for case in solved {
            let Some(owner) = case.owner.filter(|owner| !owner.is_empty()) else { continue };
            let expert = by_owner.entry(owner.clone()).or_insert_with(|| Expert {
                name: owner,
                cases: 0,
                why: Vec::new(),
                last: None,
            });
            expert.cases += 1;
            if expert.why.len() < SUBJECTS_MAX {
                expert.why.push(case.subject.as_str().to_owned());
            }
            let when = case.updated_at.map(|at| at.to_string());
            expert.last = expert.last.take().max(when);
        }
        let mut experts: Vec<Expert> = by_owner.into_values().collect();
        experts.sort_by(|a, b| (b.cases, &b.last).cmp(&(a.cases, &a.last)));
        experts.truncate(EXPERTS_MAX);
        Ok(experts)
    }

    /// A message with who it is, what was asked, and `pack`: what the next colleague needs to know.
    pub(super) fn call_for_help(
        &self,
        ending: Ending,
        known: Known,
        order: SwarmOrder,
        pack: Vec<Redacted>,
        by: &str,
    ) -> Result<Planned, Failure> {
        let team = self.places.iter().find(|place| place.kind == "team").ok_or_else(|| {
            failed(ErrorKind::Conflict, "no team chat is configured; name one in [team]")
        })?;
        let room = order.room.filter(|room| !room.trim().is_empty());
        let room = room
            .or_else(|| self.settings.room.clone())
            .ok_or_else(|| failed(ErrorKind::Invalid, "name a room; there is none in [team]"))?;
        let conversation = ending.conversation;
        let mut facts: Vec<(String, Redacted)> = vec![("Asked by".into(), redaction::typed(by))];
        if let Some(Identity::Known(customer)) = known.context.map(|context| context.identity) {
            facts.extend(customer.contact.name.clone().map(|name| ("Customer".into(), name)));
            let tier = customer.facts.tier.as_deref().map(redaction::typed);
            facts.extend(tier.map(|tier| ("Tier".into(), tier)));
            let cases: Vec<&str> =
                customer.cases.iter().map(|case| case.subject.as_str()).collect();
            if !cases.is_empty() {
                facts.push(("Open cases".into(), redaction::typed(&cases.join("; "))));
            }
        }
        let note = order.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
        let note = note.map(redaction::typed);
        let mut paragraphs: Vec<Redacted> = note.iter().cloned().collect();
        match pack.is_empty() {
            false => paragraphs.extend(pack),
            true => paragraphs.extend(ending.summary.map(|(_, text)| text)),
        }
        // The newest is in no summary yet.
        let turns = known.row.as_ref().map_or(0, |row| row.turn_count).to_string();
        if let Some(turn) = known.row.and_then(|row| row.last_turn)
            && paragraphs.iter().all(|paragraph| !paragraph.as_str().contains(&turn.text))
        {
            let said = redaction::typed(&turn.text);
            paragraphs
                .push(Redacted::assembled(&[Wording::Fixed("Last said: "), Wording::Of(&said)]));
        }
        let title = ending.matter.unwrap_or_else(|| redaction::typed("Help with a conversation"));
        // The same again is a second click, and not what was asked a while ago.
        let mut parts = vec![conversation.as_str(), "swarm", &room, &turns];
        parts.extend(paragraphs.iter().map(Redacted::as_str));
        let key = DedupeKey::of(&parts);
        let link = self.settings.public_url.as_ref();
        Ok(Planned {
            id: "swarm".into(),
            rule: Rule::Ask,
            title: "Message to colleagues",
            destination: team.name.clone(),
            lane: conversation.to_string(),
            key,
            effect: Effect::PostMessage(TeamMessage {
                room,
                conversation: conversation.clone(),
                title,
                paragraphs,
                facts,
                link: link.map(|url| links::desktop(url, &conversation)),
            }),
            from: None,
        })
    }
}

/// The longest words of a text: what a case is likely called by.
fn words_of(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= WORD_MIN)
        .map(str::to_lowercase)
        .collect();
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words.truncate(WORDS_MAX);
    words
}
