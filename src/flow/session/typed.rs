//! Turns that are typed: chat, SMS, mail. They come whole, and go the way of those that are spoken.

use super::{Output, Session};
use crate::domain::{
    Citation, EventBody, Party, Redacted, RedactionKind, RedactionOutcome, RedactionResolved, Turn,
    TurnId,
};
use crate::models::ENGLISH;

/// One message, raw. It must not outlive the session's call.
pub struct TypedTurn {
    pub id: TurnId,
    pub party: Party,
    pub text: String,
    /// ISO 639-1
    pub language: String,
    /// Since the conversation's beginning.
    pub at_ms: u64,
    /// Somebody else reads it as it is shown.
    pub is_sent: bool,
}

impl Session {
    /// Takes one message; gives it back as it is shown.
    pub fn typed(&mut self, typed: TypedTurn) -> Redacted {
        let TypedTurn { id, party, text, language, at_ms, is_sent } = typed;
        let masked = match is_sent {
            true => self.masker.sent_turn(&party.id, &id, &text),
            false => self.masker.typed_turn(&party.id, &id, &text),
        };
        self.typed_ms = self.typed_ms.max(at_ms);
        let turn = Turn {
            id,
            party,
            start_ms: at_ms,
            end_ms: at_ms,
            text: masked.text,
            // People wrote it as people write.
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language,
        };
        let shown = turn.text.clone();
        self.heard(turn, masked.resolved);
        shown
    }

    /// So much of the conversation has passed, though nobody has written.
    pub fn passed(&mut self, now_ms: u64) {
        self.typed_ms = self.typed_ms.max(now_ms);
    }

    /// How far the conversation has come: nothing that was written stands later.
    pub fn typed_ms(&self) -> u64 {
        self.typed_ms
    }

    /// Takes note of a turn of before a restart, as it was masked then; nothing comes of it.
    pub fn recall(&mut self, turn: &Turn) {
        self.turns += 1;
        self.typed_ms = self.typed_ms.max(turn.end_ms);
        self.masker.remember(&turn.party.id, &turn.text);
        // What it brought about was told then.
        let _ = self.signals.of(turn);
        if turn.language == ENGLISH {
            // What it asks was searched for then.
            let _ = self.suggester.consider(turn);
        }
    }

    /// A card of before a restart, for this turn.
    pub fn recall_card(&mut self, trigger: &TurnId, citation: &Citation) {
        self.suggester.recall(trigger, citation, self.typed_ms);
    }

    /// Digits that were held back before a restart: nobody knows them any more, so they stay masked.
    pub fn forget_digits(&mut self, turn_id: TurnId, placeholder: String) {
        let outcome = RedactionOutcome::Kept(RedactionKind::Digits);
        let resolved = RedactionResolved { turn_id, placeholder, outcome };
        self.out.push_back(Output::Event(EventBody::RedactionResolved(resolved)));
    }

    /// Whether an answer is still to come, as to a search.
    pub fn is_waiting(&self) -> bool {
        self.searching
    }
}

/// The placeholders of digits that are held back in a text.
pub fn held_in(text: &Redacted) -> Vec<String> {
    let after = text.as_str().split("[digits-").skip(1);
    let number = |rest: &str| {
        let (number, _) = rest.split_once(']')?;
        number.parse::<u32>().ok().map(|number| format!("[digits-{number}]"))
    };
    after.filter_map(number).collect()
}
