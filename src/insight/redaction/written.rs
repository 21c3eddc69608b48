//! Masks a conversation that is typed, message by message, and goes on with one after a restart.

use super::find::Before;
use super::kind::Secret;
use super::{CONTEXT_TURNS, Masked, Masker, RawWord, State, card, text};
use crate::domain::{PartyId, Redacted, RedactionOutcome, TurnId};

/// Between two messages, by the clock of speech: people type a number in pieces with minutes between, and
/// however long that takes, so many messages don't end it.
const MESSAGE_MS: u64 = 5_000;

impl Masker {
    /// Masks one typed turn. A number may go over several of them, or stand in one with anything between its
    /// digits. A turn without such a number keeps every character, spaces and line ends too.
    pub fn typed_turn(&mut self, party: &PartyId, turn_id: &TurnId, text: &str) -> Masked {
        let at_ms = self.messages * MESSAGE_MS;
        self.messages += 1;
        let word = |text: &str| RawWord {
            text: text.to_owned(),
            start_ms: at_ms,
            end_ms: at_ms,
            confidence: 1.0,
        };
        let words: Vec<RawWord> = text.split_whitespace().map(word).collect();
        let before = self.questions.before(party, text);
        let masked = self.final_turn(party, turn_id, &words);
        let text = self.rewritten(&masked.text, text, before);
        Masked { text, words: Vec::new(), resolved: masked.resolved }
    }

    /// As `typed_turn`, for what is sent to somebody who reads it at once: digits that only might become a card's
    /// are shown, unless a card was being spoken of. Those of a known card never are.
    pub fn sent_turn(&mut self, party: &PartyId, turn_id: &TurnId, text: &str) -> Masked {
        let before = self.questions.before(party, text);
        let mut masked = self.typed_turn(party, turn_id, text);
        let mut trail = self.trails.remove(party).unwrap_or_default();
        for fragment in &mut trail {
            let is_shown = matches!(&fragment.state,
                State::Held { turn_id: held, in_context: false, .. } if held == turn_id);
            if is_shown {
                let state = std::mem::replace(&mut fragment.state, State::Shown);
                self.settle_state(&fragment.digits, state, &mut masked.resolved);
            }
        }
        self.trails.insert(party.clone(), trail);
        let mut later = Vec::new();
        for resolved in masked.resolved {
            match &resolved.outcome {
                RedactionOutcome::Released(words) if resolved.turn_id == *turn_id => {
                    masked.text = masked.text.released(&resolved.placeholder, words);
                }
                _ => later.push(resolved),
            }
        }
        // Spaces and line ends stay as they were written, where nothing is masked after all.
        if masked.text.as_str().split(' ').eq(text.split_whitespace()) {
            masked.text = self.rewritten(&masked.text, text, before);
        }
        Masked { resolved: later, ..masked }
    }

    /// A text of several words as it was written, where nothing of it is masked; cards are looked for once more, by
    /// their characters.
    fn rewritten(&mut self, masked: &Redacted, raw: &str, before: Before) -> Redacted {
        let is_same = masked.as_str().split(' ').eq(raw.split_whitespace());
        let text = if is_same { raw } else { masked.as_str() };
        // One row of numbers for the cards of both.
        self.ledger.remember(Secret::Card, self.cards.len() as u32);
        let text = text::masked(text, self.kinds, before, &mut self.ledger);
        let cards = self.ledger.highest(Secret::Card) as usize;
        self.cards.resize(self.cards.len().max(cards), String::new());
        text
    }

    /// Takes note of a turn that was masked before a restart: placeholders are counted on from there. Nobody knows
    /// its digits any more, so for a while those that come next are taken for what goes on from them. What was asked for
    /// can be answered.
    pub fn remember(&mut self, party: &PartyId, text: &Redacted) {
        self.questions.hear(party, text.as_str());
        let mut words = text.as_str().split_whitespace();
        let is_masked = text.as_str().contains("[digits-") || text.as_str().contains("[card-");
        self.context.push_back(is_masked || words.any(card::names_a_card));
        if self.context.len() > CONTEXT_TURNS {
            self.context.pop_front();
        }
        let highest = |kind: &str| {
            let numbers = text.as_str().split(kind).skip(1);
            let number = |rest: &str| rest.split(']').next()?.parse::<u32>().ok();
            numbers.filter_map(number).filter(|number| *number < 1_000).max().unwrap_or(0)
        };
        self.helds = self.helds.max(highest("[digits-"));
        for kind in Secret::ALL.into_iter().filter(|kind| *kind != Secret::Card) {
            let last = highest(&format!("[{}-", kind.as_str()));
            self.ledger.remember(kind, last);
        }
        // Their digits are gone; what is read back of them is a number as any other.
        let cards = highest("[card-") as usize;
        self.cards.resize(self.cards.len().max(cards), String::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RedactionKind;
    use crate::insight::redaction::typed;

    fn say(masker: &mut Masker, number: usize, text: &str) -> Masked {
        let turn = TurnId::from(format!("t-{number}"));
        masker.typed_turn(&"p-1".into(), &turn, text)
    }

    #[test]
    fn a_card_number_over_several_messages_is_masked() {
        let mut masker = Masker::default();
        let mut shown = Vec::new();
        for (number, text) in
            ["my card is 4539 1488", "hang on", "0343", "6467", "that's all"].iter().enumerate()
        {
            shown.push(say(&mut masker, number, text).text.as_str().to_owned());
        }
        let shown = shown.join("|");
        for digits in ["4539", "1488", "0343", "6467"] {
            assert!(!shown.contains(digits), "{shown}");
        }
    }

    #[test]
    fn what_is_harmless_keeps_every_character() {
        let mut masker = Masker::default();
        let text = "Order  4711,\n\tdue at 14:30 — 45 pounds";
        assert_eq!(say(&mut masker, 1, text).text.as_str(), text);
        assert_eq!(say(&mut masker, 2, "").text.as_str(), "");
    }

    #[test]
    fn a_date_that_might_begin_a_number_comes_back() {
        let mut masker = Masker::default();
        let first = say(&mut masker, 1, "It is 4711, due on 3/4/2026 at 14:30").text;
        assert_eq!(first.as_str(), "It is 4711, due on [digits-1] at 14:30");
        let mut resolved = Vec::new();
        for number in 2..6 {
            let text = "and nobody has called me since then, which is a shame";
            resolved.extend(say(&mut masker, number, text).resolved);
        }
        let released = RedactionOutcome::Released(typed("3/4/2026"));
        assert_eq!(resolved.iter().map(|one| &one.outcome).collect::<Vec<_>>(), [&released]);
    }

    #[test]
    fn an_order_number_is_sent_at_once_and_a_card_is_not() {
        let mut masker = Masker::default();
        let agent = PartyId::from("p-2");
        let send = |masker: &mut Masker, number: usize, text: &str| {
            let turn = TurnId::from(format!("a-{number}"));
            masker.sent_turn(&agent, &turn, text)
        };
        let order = "Your order is\n 45391488";
        assert_eq!(send(&mut masker, 1, order).text.as_str(), order);
        say(&mut masker, 2, "my card is 4539 1488 0343 6467");
        let read_back = send(&mut masker, 3, "So that is 1488 0343").text;
        assert!(!read_back.as_str().contains("1488"), "{}", read_back.as_str());
    }

    #[test]
    fn after_a_restart_the_second_half_is_not_shown_either() {
        let mut before = Masker::default();
        let first = say(&mut before, 1, "it is 4539 1488");
        assert!(first.text.as_str().contains("[digits-1]"), "{}", first.text.as_str());
        let mut after = Masker::default();
        after.remember(&"p-1".into(), &first.text);
        say(&mut after, 2, "Are you there?");
        let second = say(&mut after, 3, "0343 6467");
        assert_eq!(second.text.as_str(), "[digits-2]", "a name of its own");
        let kept = after.finish();
        assert_eq!(kept[0].outcome, RedactionOutcome::Kept(RedactionKind::Digits));
    }

    #[test]
    fn a_card_that_was_named_before_keeps_its_name() {
        let mut masker = Masker::default();
        masker.remember(
            &"p-1".into(),
            &Redacted::vouched("[card-2] and [digits-x] and [card-99999999]"),
        );
        assert_eq!(say(&mut masker, 1, "4539148803436467").text.as_str(), "[card-3]");
    }
}
