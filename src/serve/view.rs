//! One conversation as people see it: its events, folded. No I/O.

mod drafts;
mod ending;
mod pack;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Recorded;
use crate::flow::driver::texts::mail_of;
use crate::store::StoreError;
use crate::store::codec::{self, time_text};
use crate::store::wire::{
    AudioGap, Citation, ConversationStarted, CrmContext, CrmWrite, QuestionAnswered,
    QuestionsSuggested, RedactionResolved, SuggestedQuestion, SuggestionAbstained,
    SuggestionOffered, SuggestionVerdict, SuggestionVoiced, SuggestionWithdrawn, TurnFinal,
};

pub use self::drafts::WrapUpView;
pub use self::pack::pack_of;

/// A card with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CardView {
    card_id: String,
    kind: String,
    title: String,
    text: String,
    citations: Vec<Citation>,
    score: f32,
    trigger_turn: String,
    latency_ms: u64,
    generator: String,
    why: Vec<String>,
    heading: String,
    article_title: String,
    #[schema(required)]
    valid_from: Option<String>,
    verbatim: bool,
    /// How it can be said; null while or where no model wrote that.
    #[schema(required)]
    voice: Option<SuggestionVoiced>,
    offered_at: String,
    sequence: u64,
    #[schema(required)]
    verdict: Option<VerdictView>,
    withdrawn: bool,
}

/// The newest verdict on a card.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VerdictView {
    verdict: String,
    #[schema(required)]
    text: Option<String>,
    at: String,
}

/// Something for another system, as far as it is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WriteView {
    #[serde(flatten)]
    pub write: CrmWrite,
    at: String,
}

/// What a conversation's events add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    pub position: u64,
    pub turns: Vec<TurnFinal>,
    pub cards: Vec<CardView>,
    pub questions: Vec<QuestionAnswered>,
    /// The customer's questions that got no card.
    pub unanswered: Vec<SuggestionAbstained>,
    /// What the agent may want to ask now.
    pub suggested_questions: Vec<SuggestedQuestion>,
    pub gaps: Vec<AudioGap>,
    /// None while nothing was written.
    pub wrapup: Option<WrapUpView>,
    /// inbound or outbound
    pub direction: Option<String>,
    /// What the CRM knows of the customer.
    pub crm: Option<CrmContext>,
    /// What is to be done in other systems, in the order of arrival.
    pub writes: Vec<WriteView>,
    /// How far replies are on their way to the customer.
    pub replies: Vec<CrmWrite>,
    /// In a thread of mails, the identifiers of its messages up to the customer's last one, oldest first.
    mails: Vec<String>,
    /// Those of our replies since.
    sent: Vec<String>,
}

impl Projection {
    /// Takes in the next event; they come in the order of the log.
    pub fn take(&mut self, event: &Recorded) -> Result<(), StoreError> {
        self.position = event.position;
        match &*event.kind {
            codec::TURN_FINAL => {
                // A long turn may be final after a shorter one that began later.
                let turn: TurnFinal = codec::data(event)?;
                let at = self.turns.partition_point(|other| other.start_ms <= turn.start_ms);
                self.turns.insert(at, turn);
                if let Some(mail) = mail_of(&event.id) {
                    self.mails.append(&mut self.sent);
                    self.mails.push(mail.to_owned());
                }
            }
            codec::CONVERSATION_STARTED => {
                self.direction = Some(codec::data::<ConversationStarted>(event)?.direction);
            }
            codec::REDACTION => self.resolve(&codec::data(event)?),
            codec::SUGGESTION_OFFERED => self.cards.push(card(codec::data(event)?, event)),
            codec::SUGGESTION_VOICED => {
                let data: SuggestionVoiced = codec::data(event)?;
                for card in self.cards.iter_mut().filter(|card| card.card_id == data.card_id) {
                    card.voice = Some(data.clone());
                }
            }
            codec::SUGGESTION_QUESTIONS => {
                self.suggested_questions = codec::data::<QuestionsSuggested>(event)?.questions;
            }
            codec::SUGGESTION_WITHDRAWN => {
                let data: SuggestionWithdrawn = codec::data(event)?;
                for card in self.cards.iter_mut().filter(|card| card.card_id == data.card_id) {
                    card.withdrawn = true;
                }
            }
            codec::SUGGESTION_VERDICT => {
                let data: SuggestionVerdict = codec::data(event)?;
                for card in self.cards.iter_mut().filter(|card| card.card_id == data.card_id) {
                    card.verdict = Some(VerdictView {
                        verdict: data.verdict.clone(),
                        text: data.text.clone(),
                        at: time_text(event.time),
                    });
                }
            }
            codec::SUGGESTION_ABSTAINED => self.unanswered.push(codec::data(event)?),
            codec::QUESTION_ANSWERED => self.questions.push(codec::data(event)?),
            codec::CRM_CONTEXT => self.crm = Some(codec::data(event)?),
            codec::CRM_WRITE => self.write(codec::data(event)?, event),
            codec::AUDIO_GAP => self.gaps.push(codec::data(event)?),
            kind if kind.starts_with("wrapup.") => {
                self.wrapup.get_or_insert_default().take(event)?;
            }
            // Kinds that this view doesn't show, among them those of a newer program.
            _ => {}
        }
        Ok(())
    }

    /// The newest that is told of an effect stands. Replies are no writes of the wrap-up.
    fn write(&mut self, write: CrmWrite, event: &Recorded) {
        if write.turn_id.is_some() {
            if let Some(mail) = write.remote_id.as_ref().filter(|id| id.contains('@'))
                && !self.sent.contains(mail)
                && !self.mails.contains(mail)
            {
                self.sent.push(mail.clone());
            }
            self.replies.retain(|known| known.dedupe_key != write.dedupe_key);
            self.replies.push(write);
            return;
        }
        let new = WriteView { write, at: time_text(event.time) };
        let is_same = |old: &&mut WriteView| {
            old.write.destination == new.write.destination
                && old.write.dedupe_key == new.write.dedupe_key
        };
        match self.writes.iter_mut().find(is_same) {
            Some(old) => *old = new,
            None => self.writes.push(new),
        }
    }

    /// Digits that were held back and found harmless are shown; the rest stays masked.
    fn resolve(&mut self, resolved: &RedactionResolved) {
        let Some(text) = &resolved.text else { return };
        for turn in self.turns.iter_mut().filter(|turn| turn.turn_id == resolved.turn_id) {
            turn.text = turn.text.replacen(&resolved.placeholder, text, 1);
            if let Some(written) = &mut turn.display_text {
                *written = written.replacen(&resolved.placeholder, text, 1);
            }
            for word in &mut turn.words {
                word.text = word.text.replacen(&resolved.placeholder, text, 1);
            }
        }
    }
}

fn card(data: SuggestionOffered, event: &Recorded) -> CardView {
    CardView {
        card_id: data.card_id,
        kind: data.kind,
        title: data.title,
        text: data.text,
        citations: data.citations,
        score: data.score,
        trigger_turn: data.trigger_turn,
        latency_ms: data.latency_ms,
        generator: data.generator,
        why: data.why,
        heading: data.heading,
        article_title: data.article_title,
        valid_from: data.valid_from,
        verbatim: data.verbatim,
        voice: None,
        offered_at: time_text(event.time),
        sequence: event.sequence,
        verdict: None,
        withdrawn: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        EventBody, NewEvent, Redacted, RedactionKind, RedactionOutcome, RedactionResolved,
        TenantId, Verdict, VerdictKind,
    };
    use crate::store::conformance::{card, now, started, turn};

    pub(super) fn project(events: Vec<NewEvent>) -> Projection {
        let tenant = TenantId::from("t");
        let mut projection = Projection::default();
        for (number, event) in (1..).zip(events) {
            let encoded = codec::encode(&event.body);
            let recorded = Recorded {
                position: 100 + number,
                id: event.id,
                tenant: tenant.clone(),
                conversation: "c-1".into(),
                sequence: number,
                time: event.time,
                kind: encoded.kind.into(),
                schema: encoded.schema.into(),
                data: encoded.data.into(),
            };
            projection.take(&recorded).expect("takes it");
        }
        projection
    }

    fn resolved(outcome: RedactionOutcome) -> NewEvent {
        now(EventBody::RedactionResolved(RedactionResolved {
            turn_id: "t-1".into(),
            placeholder: "[digits-1]".into(),
            outcome,
        }))
    }

    #[test]
    fn released_digits_are_shown_in_their_turn_only() {
        let outcome = RedactionOutcome::Released(Redacted::vouched("4711"));
        let seen = project(vec![started(None), turn("t-1"), turn("t-2"), resolved(outcome)]);
        assert_eq!(seen.turns[0].text, "My number is 4711.");
        assert_eq!(seen.turns[1].text, "My number is [digits-1].");
        assert_eq!(seen.position, 104);
    }

    #[test]
    fn turns_stand_in_the_order_in_which_they_began() {
        let at = |id: &str, start_ms| {
            let mut event = turn(id);
            if let EventBody::TurnFinal(turn) = &mut event.body {
                turn.start_ms = start_ms;
                turn.display_text = Some(Redacted::vouched("No. [digits-1]"));
            }
            event
        };
        let released = resolved(RedactionOutcome::Released(Redacted::vouched("4711")));
        let seen = project(vec![
            started(None),
            at("t-2", 4_000),
            at("t-1", 1_000),
            at("t-3", 4_000),
            released,
        ]);
        let order: Vec<&str> = seen.turns.iter().map(|turn| turn.turn_id.as_str()).collect();
        assert_eq!(order, ["t-1", "t-2", "t-3"]);
        assert_eq!(seen.turns[0].display_text.as_deref(), Some("No. 4711"));
    }

    #[test]
    fn kept_digits_stay_masked() {
        let outcome = RedactionOutcome::Kept(RedactionKind::Card);
        let seen = project(vec![started(None), turn("t-1"), resolved(outcome)]);
        assert_eq!(seen.turns[0].text, "My number is [digits-1].");
    }

    #[test]
    fn the_newest_verdict_counts_and_a_withdrawn_card_says_so() {
        let verdict = |kind, text: Option<&str>| {
            now(EventBody::SuggestionVerdict(Verdict {
                card_id: "k-1".into(),
                kind,
                edited_text: text.map(Redacted::vouched),
            }))
        };
        let withdrawn =
            now(EventBody::SuggestionWithdrawn { card_id: "k-2".into(), why: "retired".into() });
        let seen = project(vec![
            started(None),
            card("k-1"),
            card("k-2"),
            verdict(VerdictKind::Dismissed, None),
            verdict(VerdictKind::Edited, Some("Within five days.")),
            withdrawn,
        ]);
        let newest = seen.cards[0].verdict.as_ref().expect("a verdict");
        assert_eq!(
            (newest.verdict.as_str(), newest.text.as_deref()),
            ("edited", Some("Within five days."))
        );
        assert_eq!((seen.cards[0].withdrawn, seen.cards[1].withdrawn), (false, true));
        assert_eq!((seen.cards[1].sequence, &seen.cards[1].verdict), (3, &None));
    }
}
