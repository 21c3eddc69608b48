//! What is written for a machine is worth nothing to an agent.

use crate::insight::orders::{self, Whose};
use crate::knowledge::SearchHit;

/// Whether nothing that would stand on the card is addressed to a machine: whoever may publish, or an
/// import, can have put it into an article.
pub(super) fn is_for_people(hit: &SearchHit) -> bool {
    let passage = hit.passage();
    let shown = if hit.article.verbatim { &passage.text } else { hit.quote() };
    [shown, &passage.heading, &hit.article.title]
        .into_iter()
        .all(|text| !orders::has_orders(text, Whose::Others))
}

/// The hit that is worth most, among those for people. Others get no share.
pub(super) fn best(hits: &[SearchHit], shares: &mut [f32]) -> Option<usize> {
    loop {
        let best =
            (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]).then(b.cmp(&a)))?;
        if shares[best] <= 0.0 || is_for_people(&hits[best]) {
            return Some(best);
        }
        shares[best] = 0.0;
    }
}
