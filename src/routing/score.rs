//! How much is gained by giving this item to that agent now.
//!
//! The index is `value × waiting cost × service rate × probability to resolve`: the cost that this wait runs up
//! a minute, times the rate at which the agent ends it for good. It is the generalised c-mu rule, "the class with
//! the greatest C'(wait) × mu first" (J. A. van Mieghem, *Dynamic scheduling with convex delay costs*, Ann. Appl.
//! Probab. 5, 1995), in the form for agents of different speeds (A. Mandelbaum and A. L. Stolyar, *Scheduling
//! flexible servers with convex delay costs*, Oper. Res. 52, 2004). A contact that isn't resolved comes back, so
//! only the part `mu × p` of the service rate drains the queue (feedback as in G. P. Klimov, *Time-sharing service
//! systems*, Theory Probab. Appl. 19, 1974).
//!
//! Nothing here reads a clock or draws a number: the same terms give the same score.

/// Nobody's value counts for more or for less than this: an important customer goes first, but doesn't buy a way
/// past somebody who has waited for long.
pub const VALUE: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// A resolve probability below this is taken for this: a small sample isn't a proof that an agent never helps.
pub const LEAST_RESOLVED: f64 = 0.05;

/// A contact takes at least this, in seconds: shorter times are mistakes of bookkeeping and would outbid all others.
pub const SHORTEST_HANDLING_S: f64 = 5.0;

/// Of agents whose score for an item is at least this share of the best one's, take who has been free for longest. It
/// spreads the work among equals, and little is lost (M. Armony and A. R. Ward, *Fair dynamic routing in large-scale
/// heterogeneous-server systems*, Oper. Res. 58, 2010).
pub const NEAR: f32 = 0.85;

/// Whether a score is as good as the best one, by [`NEAR`].
pub fn is_near(score: f64, best: f64) -> bool {
    score >= best * f64::from(NEAR)
}

/// The four factors of a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Weight of the customer or of the matter, 1 for an ordinary one. See [`value`].
    pub value: f64,
    /// What another minute of waiting costs, 1 for somebody who just came. See [`waiting_cost`].
    pub waiting_cost: f64,
    /// Contacts of this kind that this agent ends in a minute. See [`service_rate_per_min`].
    pub service_rate_per_min: f64,
    /// Probability that the contact doesn't come back. See [`resolves`].
    pub resolves: f64,
}

impl Terms {
    /// The product; greater is sooner. A factor that isn't a number, or is negative, makes it zero.
    pub fn score(&self) -> f64 {
        let product = self.value * self.waiting_cost * self.service_rate_per_min * self.resolves;
        let sound = [self.value, self.waiting_cost, self.service_rate_per_min, self.resolves]
            .iter()
            .all(|factor| factor.is_finite() && *factor >= 0.0);
        if sound && product.is_finite() { product } else { 0.0 }
    }

    /// The factors with the names they have in a decision's record.
    pub fn named(&self) -> [(&'static str, f64); 4] {
        [
            ("value", self.value),
            ("waiting_cost", self.waiting_cost),
            ("service_rate_per_min", self.service_rate_per_min),
            ("resolves", self.resolves),
        ]
    }
}

/// The weight of a customer: `relative` to an ordinary one, within [`VALUE`]; 1 when nothing is known.
///
/// The linear factor of the delay cost (the `c` of c-mu: D. R. Cox and W. L. Smith, *Queues*, 1961).
pub fn value(relative: Option<f64>) -> f64 {
    match relative {
        Some(relative) if relative.is_finite() => relative.clamp(*VALUE.start(), *VALUE.end()),
        _ => 1.0,
    }
}

/// What another moment of waiting costs after `waited_s`, where `target_s` is the answer time that the queue
/// promises: `1 + waited / target`.
///
/// The derivative of the delay cost `w + w² / (2 × target)`, which is convex and increasing as van Mieghem asks for.
/// The linear part keeps the order of values among those who just came; the square makes nobody wait for ever.
/// A negative wait counts as none, a target below one second as one second.
pub fn waiting_cost(waited_s: f64, target_s: f64) -> f64 {
    let target_s = if target_s.is_finite() { target_s.max(1.0) } else { 1.0 };
    let waited_s = if waited_s.is_finite() { waited_s.max(0.0) } else { 0.0 };
    1.0 + waited_s / target_s
}

/// The wait that somebody counts for who was promised a call until `due_in_s` from now (negative: late by that much):
/// one that reaches the target just when the promise falls due, or the real wait if that is longer.
///
/// Due dates as head starts in the same cost function (J. A. van Mieghem, *Due-date scheduling: asymptotic optimality
/// of generalized longest queue and generalized largest delay rules*, Oper. Res. 51, 2003).
pub fn wait_with_promise(waited_s: f64, target_s: f64, due_in_s: Option<f64>) -> f64 {
    match due_in_s {
        Some(due_in_s) if due_in_s.is_finite() => waited_s.max(target_s - due_in_s),
        _ => waited_s,
    }
}

/// Contacts a minute that are ended when one takes `handling_s` seconds on average, wrap-up included.
pub fn service_rate_per_min(handling_s: f64) -> f64 {
    let handling_s = if handling_s.is_finite() { handling_s } else { SHORTEST_HANDLING_S };
    60.0 / handling_s.max(SHORTEST_HANDLING_S)
}

/// The mean of `known` over what the contact may be about: pairs of a probability and the figure that holds in that
/// case. What is missing of a total probability of 1 counts with `otherwise`, the figure over all kinds of contact.
///
/// For an item whose class isn't certain, the rate in the c-mu rule is one over the *mean handling time*, so average
/// seconds with this, and not rates.
pub fn expected(known: impl IntoIterator<Item = (f64, f64)>, otherwise: f64) -> f64 {
    let (mut total, mut mean) = (0.0, 0.0);
    for (probability, figure) in known {
        let probability = if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 };
        total += probability;
        mean += probability * figure;
    }
    if total > 1.0 { mean / total } else { mean + (1.0 - total) * otherwise }
}

/// [`expected`] of two figures at once, which are known of the same cases.
pub fn expected_both(
    known: impl IntoIterator<Item = (f64, (f64, f64))>,
    otherwise: (f64, f64),
) -> (f64, f64) {
    let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
    for (probability, figures) in known {
        let probability = if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 };
        total += probability;
        first += probability * figures.0;
        second += probability * figures.1;
    }
    match total > 1.0 {
        true => (first / total, second / total),
        false => (first + (1.0 - total) * otherwise.0, second + (1.0 - total) * otherwise.1),
    }
}

/// How likely this agent ends such a contact for good, from `resolved` of `handled` contacts, where `others` is the
/// share over all agents. Few contacts of the agent's own count little: `others` weighs like ten of them.
///
/// The posterior mean under a beta prior (empirical Bayes; B. Efron and C. Morris, *Stein's paradox in statistics*, 1977).
pub fn resolves(resolved: f64, handled: f64, others: f64) -> f64 {
    const PRIOR: f64 = 10.0;
    let others = if others.is_finite() { others.clamp(0.0, 1.0) } else { 0.5 };
    let handled = if handled.is_finite() { handled.max(0.0) } else { 0.0 };
    let resolved = if resolved.is_finite() { resolved.clamp(0.0, handled) } else { 0.0 };
    ((resolved + PRIOR * others) / (handled + PRIOR)).clamp(LEAST_RESOLVED, 1.0)
}

/// The mean handling time in seconds of an agent, from the sum over `handled` contacts, where `others_s` is the mean
/// over all agents: shrunk towards it like [`resolves`].
pub fn handling_s(total_s: f64, handled: f64, others_s: f64) -> f64 {
    const PRIOR: f64 = 10.0;
    let handled = if handled.is_finite() { handled.max(0.0) } else { 0.0 };
    let total_s = if total_s.is_finite() { total_s.max(0.0) } else { 0.0 };
    ((total_s + PRIOR * others_s) / (handled + PRIOR)).max(SHORTEST_HANDLING_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: Terms =
        Terms { value: 1.0, waiting_cost: 1.0, service_rate_per_min: 0.25, resolves: 0.8 };

    #[test]
    fn the_score_is_the_product_of_the_named_terms() {
        let product: f64 = ORDINARY.named().iter().map(|(_, factor)| factor).product();
        assert!((ORDINARY.score() - product).abs() < 1e-12);
        assert!((ORDINARY.score() - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_broken_factor_scores_nothing_and_does_not_spread() {
        for broken in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(Terms { value: broken, ..ORDINARY }.score(), 0.0);
            assert_eq!(Terms { resolves: broken, ..ORDINARY }.score(), 0.0);
        }
    }

    #[test]
    fn whoever_waits_long_passes_the_most_valuable_customer() {
        let at = |value_, waited_s| {
            Terms {
                value: value(Some(value_)),
                waiting_cost: waiting_cost(waited_s, 20.0),
                ..ORDINARY
            }
            .score()
        };
        assert!(at(1000.0, 0.0) > at(1.0, 0.0));
        assert!(
            at(1.0, 61.0) > at(1000.0, 0.0),
            "four times the value is three targets of waiting"
        );
    }

    #[test]
    fn a_promise_that_falls_due_counts_like_a_wait_at_the_target() {
        assert_eq!(wait_with_promise(3.0, 20.0, None), 3.0);
        assert_eq!(wait_with_promise(3.0, 20.0, Some(0.0)), 20.0);
        assert_eq!(wait_with_promise(3.0, 20.0, Some(-40.0)), 60.0);
        assert_eq!(wait_with_promise(3.0, 20.0, Some(3600.0)), 3.0);
    }

    #[test]
    fn what_is_not_known_is_filled_up_with_the_mean() {
        assert!((expected([(0.6, 100.0), (0.2, 200.0)], 400.0) - 180.0).abs() < 1e-9);
        assert!((expected([(1.0, 100.0), (1.0, 200.0)], 400.0) - 150.0).abs() < 1e-9);
        assert_eq!(expected([(f64::NAN, 100.0)], 400.0), 400.0);
        assert_eq!(expected([], 400.0), 400.0);
        for known in [&[(0.6, 100.0), (0.2, 200.0)][..], &[(1.0, 100.0), (1.0, 200.0)], &[]] {
            let both = known.iter().map(|(p, figure)| (*p, (*figure, figure / 3.0)));
            let thirds = known.iter().map(|(p, figure)| (*p, figure / 3.0));
            let apart = (expected(known.iter().copied(), 400.0), expected(thirds, 9.0));
            assert_eq!(expected_both(both, (400.0, 9.0)), apart, "as one after the other");
        }
    }

    #[test]
    fn few_contacts_of_an_agent_count_little() {
        assert!((resolves(0.0, 0.0, 0.7) - 0.7).abs() < 1e-12);
        assert!((resolves(1.0, 1.0, 0.7) - 8.0 / 11.0).abs() < 1e-12);
        assert!(resolves(990.0, 1000.0, 0.7) > 0.98);
        assert_eq!(resolves(0.0, 1e9, 0.0), LEAST_RESOLVED);
        assert!((handling_s(0.0, 0.0, 240.0) - 240.0).abs() < 1e-12);
        assert!((handling_s(90.0 * 300.0, 90.0, 200.0) - 290.0).abs() < 1e-9);
    }

    #[test]
    fn an_impossibly_short_contact_is_not_believed() {
        assert!((service_rate_per_min(240.0) - 0.25).abs() < 1e-12);
        assert_eq!(service_rate_per_min(0.0), 60.0 / SHORTEST_HANDLING_S);
        assert_eq!(service_rate_per_min(f64::NAN), 60.0 / SHORTEST_HANDLING_S);
    }
}
