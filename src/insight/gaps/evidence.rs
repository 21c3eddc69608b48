//! What an event tells about questions and their answers.

use crate::domain::{CardId, GapReason, Recorded, Redacted, TurnId};
use crate::store::codec::{self, data};
use crate::store::{StoreError, wire};

/// One question of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Unique in its conversation.
    pub key: String,
    /// The turn that asks, if one does.
    pub turn: Option<TurnId>,
    pub text: Redacted,
    /// The question with what was said before, where it says too little by itself.
    pub context: Option<Redacted>,
    /// How it was missed, or would have been.
    pub reason: GapReason,
}

impl Question {
    /// What it is compared by.
    pub fn whole(&self) -> &str {
        self.context.as_ref().unwrap_or(&self.text).as_str()
    }
}

/// What became of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardOutcome {
    /// Nothing is known, or it was left alone.
    Shown,
    Used,
    Dismissed,
    Withdrawn,
}

impl CardOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Used => "used",
            Self::Dismissed => "dismissed",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Shown, Self::Used, Self::Dismissed, Self::Withdrawn]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }

    /// After a later one: what was used stays so when its article is taken back.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Used, Self::Withdrawn) => Self::Used,
            _ => later,
        }
    }
}

/// Whether a question with such cards was missed: one was no use, and none was used.
pub fn is_missed(cards: &[CardOutcome]) -> bool {
    let no_use = |one: &CardOutcome| matches!(one, CardOutcome::Dismissed | CardOutcome::Withdrawn);
    cards.iter().any(no_use) && !cards.contains(&CardOutcome::Used)
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    Missed(Question),
    Answered(Question),
    Offered {
        card: CardId,
        question: Question,
    },
    Judged {
        card: CardId,
        outcome: CardOutcome,
    },
    /// A search was of use after all.
    Opened {
        key: String,
    },
    Ended {
        duration_ms: u64,
    },
}

impl Evidence {
    /// The kinds that tell anything, as `KindFilter` reads them.
    pub const KINDS: &str = "suggestion.abstained,suggestion.offered,suggestion.verdict,\
        suggestion.withdrawn,question.answered,article.searched,article.opened,conversation.ended";
}

/// `None` for what tells nothing.
///
/// # Errors
/// The event's data can't be read.
pub fn evidence(event: &Recorded) -> Result<Option<Evidence>, StoreError> {
    Ok(match &*event.kind {
        codec::SUGGESTION_ABSTAINED => {
            let abstained: wire::SuggestionAbstained = data(event)?;
            let wire::SuggestionAbstained { turn_id, question, context, .. } = abstained;
            let asked = wire::TurnQuestion { turn_id, text: question, context };
            Some(Evidence::Missed(in_turn(asked, GapReason::Abstained)))
        }
        codec::SUGGESTION_OFFERED => {
            let offered: wire::SuggestionOffered = data(event)?;
            let card = CardId::from(offered.card_id);
            offered.question.map(|asked| Evidence::Offered {
                card,
                question: in_turn(asked, GapReason::Dismissed),
            })
        }
        codec::SUGGESTION_VERDICT => {
            let verdict: wire::SuggestionVerdict = data(event)?;
            let outcome = match verdict.verdict.as_str() {
                "accepted" | "edited" => CardOutcome::Used,
                "dismissed" => CardOutcome::Dismissed,
                _ => CardOutcome::Shown,
            };
            Some(Evidence::Judged { card: verdict.card_id.into(), outcome })
        }
        codec::SUGGESTION_WITHDRAWN => {
            let withdrawn: wire::SuggestionWithdrawn = data(event)?;
            let outcome = CardOutcome::Withdrawn;
            Some(Evidence::Judged { card: withdrawn.card_id.into(), outcome })
        }
        codec::QUESTION_ANSWERED => {
            let answered: wire::QuestionAnswered = data(event)?;
            let question = typed("ask", &answered.question_id, answered.question, GapReason::Asked);
            match answered.state.as_str() {
                "abstained" => Some(Evidence::Missed(question)),
                "answered" => Some(Evidence::Answered(question)),
                // It goes on with another question, or nobody waited for an answer.
                _ => None,
            }
        }
        codec::ARTICLE_SEARCHED => {
            let searched: wire::ArticleSearched = data(event)?;
            let reason = GapReason::Searched;
            Some(Evidence::Missed(typed("search", &searched.search_id, searched.query, reason)))
        }
        codec::ARTICLE_OPENED => {
            let opened: wire::ArticleOpened = data(event)?;
            Some(Evidence::Opened { key: key("search", &opened.search_id) })
        }
        codec::CONVERSATION_ENDED => {
            let ended: wire::ConversationEnded = data(event)?;
            Some(Evidence::Ended { duration_ms: ended.duration_ms })
        }
        _ => None,
    })
}

fn in_turn(asked: wire::TurnQuestion, reason: GapReason) -> Question {
    Question {
        key: key("turn", &asked.turn_id),
        turn: Some(asked.turn_id.into()),
        text: Redacted::vouched(asked.text),
        context: asked.context.map(Redacted::vouched),
        reason,
    }
}

fn typed(kind: &str, id: &str, text: String, reason: GapReason) -> Question {
    Question {
        key: key(kind, id),
        turn: None,
        text: Redacted::vouched(text),
        context: None,
        reason,
    }
}

/// Clients choose some identifiers: those of turns and of questions may be the same.
fn key(kind: &str, id: &str) -> String {
    format!("{kind}:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::KindFilter;

    #[test]
    fn a_question_is_missed_when_a_card_was_no_use_and_none_was_used() {
        use CardOutcome::{Dismissed, Shown, Used, Withdrawn};
        for (cards, expected) in [
            (&[][..], false),
            (&[Shown], false),
            (&[Dismissed], true),
            (&[Withdrawn, Shown], true),
            (&[Dismissed, Used], false),
        ] {
            assert_eq!(is_missed(cards), expected, "{cards:?}");
        }
        assert_eq!(Used.then(Withdrawn), Used);
        assert_eq!(Used.then(Dismissed), Dismissed, "a verdict may be changed");
    }

    #[test]
    fn the_kinds_are_those_that_are_read() {
        let kinds = KindFilter::parse(Evidence::KINDS).expect("names of kinds");
        for kind in [codec::SUGGESTION_ABSTAINED, codec::ARTICLE_OPENED, codec::CONVERSATION_ENDED]
        {
            assert!(kinds.matches(kind), "{kind}");
        }
        assert!(!kinds.matches(codec::TURN_FINAL));
    }
}
