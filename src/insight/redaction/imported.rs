//! Masks conversations that were written down elsewhere: typed, or recognised by somebody.

use super::{Masker, typed};
use crate::domain::{PartyId, Redacted, RedactionOutcome, TurnId};

/// Masks all turns of a conversation, in order. A number may go over several turns, as in a call,
/// or stand in one with anything between its digits, as in a chat. A turn without such a number
/// keeps every character, spaces and line ends too.
pub fn imported(turns: &[(PartyId, &str)]) -> Vec<Redacted> {
    let mut masker = Masker::default();
    let mut masked: Vec<Redacted> = Vec::with_capacity(turns.len());
    let mut resolved = Vec::new();
    for (at, (party, text)) in turns.iter().enumerate() {
        let turn = masker.typed_turn(party, &turn_id(at), text);
        resolved.extend(turn.resolved);
        masked.push(turn.text);
    }
    resolved.extend(masker.finish());
    for one in resolved {
        let RedactionOutcome::Released(words) = one.outcome else { continue };
        let place = (0..turns.len()).find(|at| turn_id(*at) == one.turn_id);
        if let Some(text) = place.and_then(|at| masked.get_mut(at)) {
            *text = text.released(&one.placeholder, &words);
        }
    }
    let shown = |(masked, (_, raw)): (Redacted, &(PartyId, &str))| {
        let is_same = masked.as_str().split(' ').eq(raw.split_whitespace());
        // Between released digits may stand more than a space.
        typed(if is_same { raw } else { masked.as_str() })
    };
    masked.into_iter().zip(turns).map(shown).collect()
}

fn turn_id(at: usize) -> TurnId {
    TurnId::from(format!("t-{}", at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(turns: &[(&str, &str)]) -> Vec<String> {
        let turns: Vec<(PartyId, &str)> =
            turns.iter().map(|(party, text)| (PartyId::from(*party), *text)).collect();
        imported(&turns).iter().map(|text| text.as_str().to_owned()).collect()
    }

    #[test]
    fn numbers_over_several_turns_and_in_one_are_masked() {
        let over = masked(&[
            ("a", "What is the card number?"),
            ("c", "4539 1488"),
            ("a", "Go on."),
            ("c", "0343 6467"),
        ]);
        assert!(!over.join(" ").contains("1488") && !over.join(" ").contains("6467"), "{over:?}");
        let typed = masked(&[("c", "mine: 4539-1488.0343/6467,\nthanks")]);
        assert!(typed[0].starts_with("mine: [card-1]"), "{typed:?}");
    }

    #[test]
    fn what_is_harmless_keeps_every_character() {
        let text = "Order  4711,\n\tdue on 3/4/2026 at 14:30 — 45 pounds";
        assert_eq!(masked(&[("c", text), ("a", ""), ("c", "ok then, that is all")])[0], text);
    }
}
