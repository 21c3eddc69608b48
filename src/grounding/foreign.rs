//! What others want a machine to say, and where they want people sent.
//!
//! A writer that obeys whatever stands in its prompt can cite it, too: the sentence then is what its
//! source says, word for word. So orders prove nothing (`Ground::of` leaves their places empty), and an
//! address is worth something only where the company gave it.

use super::claim::Claim;
use super::ground::Ground;
use super::reading::{Part, Reading};
use super::verify::Finding;
use crate::domain::{Fault, StruckSentence};
use crate::insight::orders::{self, Whose};
use crate::insight::redaction;

/// So much of a sentence in orders says that it was struck for them.
const SHARE_MIN: f32 = 0.6;
/// One word in common says nothing.
const WORDS_MIN: usize = 2;

/// Whom a record names when it tells what somebody else said.
const OTHERS: [&str; 4] = ["customer", "caller", "client", "user"];

/// The sentence isn't an order itself and sends nobody to a stranger's address.
pub(super) fn check(claim: &Claim, ground: &Ground) -> Finding {
    let text = claim.text.as_str();
    if orders::has_orders(text, Whose::Others) {
        return Err((Fault::Order, "it is addressed to a machine".to_owned()));
    }
    let strange =
        orders::links(text).into_iter().find(|link| !ground.addresses.contains(&link.target));
    let Some(link) = strange else { return Ok(()) };
    // A record may say where somebody was.
    let lower = text.to_lowercase();
    let is_told = !ground.is_strict() && OTHERS.iter().any(|other| lower.contains(other));
    if is_told && ground.says_address(&link.target) {
        return Ok(());
    }
    let said = &text[link.bytes];
    Err((Fault::Address, format!("\"{said}\" stands in no article, and nobody here gave it")))
}

/// The same fault, or the one behind it: what the sentence says was said to a machine only.
pub(super) fn explained(
    struck: StruckSentence,
    reading: &Reading,
    ground: &Ground,
) -> StruckSentence {
    if ground.ordered.is_empty() {
        return struck;
    }
    let telling = reading.words.iter().filter(|word| word.part == Part::Content);
    let (mut all, mut ordered) = (0_usize, 0_usize);
    for word in telling {
        all += 1;
        ordered += usize::from(ground.ordered.contains(&word.stem));
    }
    if ordered < WORDS_MIN || (ordered as f32) < all as f32 * SHARE_MIN {
        return struck;
    }
    let why = redaction::typed("it rests on what was addressed to a machine");
    StruckSentence { fault: Fault::Order, why, ..struck }
}
