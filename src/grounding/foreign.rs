//! What others want a machine to say, and where they want people sent.
//!
//! A writer that obeys whatever stands in its prompt can cite it, too: the sentence then is what its
//! source says, word for word. So orders prove nothing (`Ground::of` leaves their places empty), and an
//! address is worth something only where the company gave it.

use super::claim::Claim;
use super::ground::Ground;
use super::reading::Part;
use super::verify::{Case, Finding};
use crate::domain::{Fault, StruckSentence};
use crate::insight::orders::{self, Whose};
use crate::insight::redaction;

/// So much of what is said nowhere else stands in orders.
const SHARE_MIN: f32 = 0.6;

/// The sentence isn't an order itself and sends nobody to a stranger's address.
pub(super) fn check(claim: &Claim, ground: &Ground) -> Finding {
    let text = claim.text.as_str();
    if orders::has_orders(text, Whose::Others) {
        return Err((Fault::Order, "it is addressed to a machine".to_owned()));
    }
    let strange =
        orders::links(text).into_iter().find(|link| !ground.addresses.contains(&link.target));
    let Some(link) = strange else { return Ok(()) };
    let said = &text[link.bytes];
    if ground.is_strict() {
        return Err((
            Fault::Address,
            format!("\"{said}\" stands in no article, and nobody here gave it"),
        ));
    }
    // A record may say which address somebody named, but not one that only an order names.
    match ground.says_address(&link.target) {
        true => Ok(()),
        false => Err((Fault::Code, format!("\"{said}\" is in none of its sources"))),
    }
}

/// The same fault, or the one behind it: what nobody else said was said to a machine.
pub(super) fn explained(struck: StruckSentence, case: &Case) -> StruckSentence {
    let words = case.reading.words.iter().zip(&case.support.covered);
    let unsaid = words.filter(|(word, covered)| word.part == Part::Content && !**covered);
    let (mut all, mut ordered) = (0_usize, 0_usize);
    for (word, _) in unsaid {
        all += 1;
        ordered += usize::from(case.ground.ordered.contains(&word.stem));
    }
    if ordered == 0 || (ordered as f32) < all as f32 * SHARE_MIN {
        return struck;
    }
    let why = redaction::typed("it rests on what was addressed to a machine");
    StruckSentence { fault: Fault::Order, why, ..struck }
}
