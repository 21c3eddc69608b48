//! Whether a hit answers a turn of a live call: all hits and silence compete for it.
//!
//! A multinomial logistic model. Each hit is weighed by its evidence, silence by what the turn is
//! like, and the shares of `e^weight` add up to 1. A turn therefore needs no special form to get a
//! card: when one passage stands out enough, it is worth one. The weights are fitted by
//! `backchannel eval cards tests/dialogues tests/scenarios --fit`, which prints these tables.

use super::Act;
use crate::knowledge::HitFeatures;

/// Inputs for a hit.
pub const EVIDENCE: usize = 17;
/// Inputs for silence.
pub const SILENCE: usize = 10;
/// So many hits compete: what a large base holds beyond them would only add up.
const COMPETING: usize = 10;
/// A code that was read out names its passage: so many times what another exact term is worth.
const CODE: f32 = 3.0;
/// An article with a larger share than this is what the call is about.
const ABOUT: f32 = 0.3;

/// One fitted model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    pub evidence: [f32; EVIDENCE],
    pub silence: [f32; SILENCE],
}

/// The models for a customer's own turn and for the agent's reply to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judge {
    pub turn: Weights,
    pub reply: Weights,
}

/// Which of the two a query is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Turn,
    Reply,
}

impl Judge {
    pub const HYBRID: Self = Self {
        turn: Weights {
            evidence: [
                1.50, 2.64, 3.83, 3.92, 0.60, 1.31, 1.00, 0.76, 1.22, 1.16, 1.64, 0.81, 1.75, 2.13,
                1.48, 0.00, 0.00,
            ],
            silence: [9.02, -0.81, -1.70, 0.12, 1.04, 0.55, 0.28, -0.41, 0.00, 2.01],
        },
        reply: Weights {
            evidence: [
                -0.33, 1.62, 0.19, 0.01, 0.87, 1.20, 2.99, 2.59, 2.86, 0.77, 0.38, 0.55, 1.47,
                4.38, -0.92, -0.17, 3.45,
            ],
            silence: [6.20, -0.06, -0.54, 0.98, 1.82, 0.94, 0.72, -0.99, 4.58, 3.34],
        },
    };
    /// While there are no vectors.
    pub const KEYWORDS: Self = Self {
        turn: Weights {
            evidence: [
                0.00, 0.00, 0.00, 0.00, 1.51, 0.00, 0.00, 0.00, 0.00, 2.56, 2.33, 1.43, 2.95, 2.92,
                0.60, 0.00, 0.00,
            ],
            silence: [6.82, -1.29, -2.39, -0.56, 0.45, 0.18, -0.55, -0.62, 0.00, 2.51],
        },
        reply: Weights {
            evidence: [
                0.00, 0.00, 0.00, 0.00, 0.08, 0.00, 0.00, 0.00, 0.00, 2.84, 0.76, 1.38, 2.20, 2.48,
                0.87, -0.15, 3.31,
            ],
            silence: [4.95, -0.43, -0.97, 0.88, 1.52, -0.31, -0.50, -0.89, 3.80, 3.34],
        },
    };

    pub const fn shipped(degraded: bool) -> Self {
        if degraded { Self::KEYWORDS } else { Self::HYBRID }
    }

    pub const fn of(&self, look: Look) -> &Weights {
        match look {
            Look::Turn => &self.turn,
            Look::Reply => &self.reply,
        }
    }
}

/// What the call so far says for a hit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Background {
    /// How much the last turns were about its article.
    pub topic: f32,
    /// The shares that the passage and its article got from the turn that is replied to.
    pub passage: f32,
    pub article: f32,
}

/// The evidence as numbers of about the same size.
pub fn evidence(features: &HitFeatures, background: Background) -> [f32; EVIDENCE] {
    let flag = |is: bool| f32::from(u8::from(is));
    let topic = background.topic.min(1.0);
    let mut inputs = [0.0; EVIDENCE];
    for (wording, at) in [(features.bare, 0), (features.in_context, 5)] {
        let near = wording.nearness;
        inputs[at] = near.text;
        inputs[at + 1] = near.sentence;
        inputs[at + 2] = near.asked;
        inputs[at + 3] = near.asked.max(near.text);
        inputs[at + 4] = wording.words;
    }
    inputs[10] = match features.exact.saturating_sub(features.names) {
        0 => 0.0,
        1 => 1.0,
        // "E-104" is found as a code and as a number. Dialogues with codes are too few to fit what
        // one is worth, and exact terms must never be drowned.
        _ => CODE,
    };
    inputs[11] = flag(features.names > 0);
    inputs[12] = features.coverage;
    inputs[13] = topic;
    inputs[14] = flag(topic > ABOUT);
    inputs[15] = background.article;
    inputs[16] = background.passage;
    inputs
}

/// What speaks for saying nothing.
#[derive(Clone, Copy, Debug)]
pub struct Quiet {
    pub act: Act,
    /// Search terms in the turn, and in the sentence that asks.
    pub terms: usize,
    pub own_terms: usize,
    pub ends_in_question: bool,
    /// The agent replied that they don't know.
    pub knows_nothing: bool,
    /// The agent had asked who the customer is.
    pub asked_identity: bool,
}

impl Quiet {
    pub fn inputs(&self) -> [f32; SILENCE] {
        let flag = |is: bool| f32::from(u8::from(is));
        let share = |count: usize, most: u8| {
            f32::from(u8::try_from(count).unwrap_or(most).min(most)) / f32::from(most)
        };
        [
            1.0,
            flag(self.act == Act::Question),
            flag(matches!(self.act, Act::Request | Act::Lookup)),
            flag(self.act == Act::Need),
            flag(self.act == Act::Statement),
            share(self.terms, 8),
            share(self.own_terms, 6),
            flag(self.ends_in_question),
            flag(self.knows_nothing),
            flag(self.asked_identity),
        ]
    }
}

impl Weights {
    /// Each hit's share, in the hits' order; hits that don't compete have none. What is missing
    /// from 1 is silence's. `priors` are log-odds that are known of the hits besides, in their order.
    pub fn shares(
        &self,
        hits: &[[f32; EVIDENCE]],
        priors: &[f32],
        quiet: &[f32; SILENCE],
    ) -> Vec<f32> {
        let scores: Vec<f32> = (hits.iter().zip(priors))
            .map(|(hit, prior)| dot(&self.evidence, hit) + prior)
            .collect();
        let silence = dot(&self.silence, quiet);
        let mut order: Vec<usize> = (0..hits.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order.truncate(COMPETING);
        let most = order.first().map_or(silence, |&best| scores[best].max(silence));
        let all: f32 =
            order.iter().map(|&at| (scores[at] - most).exp()).sum::<f32>() + (silence - most).exp();
        let mut shares = vec![0.0; hits.len()];
        for at in order {
            shares[at] = (scores[at] - most).exp() / all;
        }
        shares
    }
}

fn dot<const N: usize>(weights: &[f32; N], inputs: &[f32; N]) -> f32 {
    weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(knows_nothing: bool) -> [f32; SILENCE] {
        Quiet {
            act: Act::Question,
            terms: 4,
            own_terms: 4,
            ends_in_question: true,
            knows_nothing,
            asked_identity: false,
        }
        .inputs()
    }

    #[test]
    fn shares_and_silence_add_up_to_one() {
        let near = |asked: f32| {
            let mut features = HitFeatures::default();
            features.bare.nearness.asked = asked;
            features.in_context.nearness.asked = asked;
            evidence(&features, Background::default())
        };
        let shares = Judge::HYBRID.turn.shares(&[near(0.2), near(0.9)], &[0.0; 2], &quiet(false));
        assert!(shares[1] > shares[0] && shares.iter().sum::<f32>() < 1.0);
        assert!(Judge::HYBRID.turn.shares(&[], &[], &quiet(false)).is_empty());
        let of = |prior| Judge::HYBRID.turn.shares(&[near(0.9)], &[prior], &quiet(false))[0];
        let odds = |share: f32| (share / (1.0 - share)).ln();
        assert!((odds(of(0.7)) - odds(of(0.0)) - 0.7).abs() < 1e-3, "a prior adds to the log-odds");
        let reply =
            |knows_nothing| Judge::HYBRID.reply.shares(&[near(0.6)], &[0.0], &quiet(knows_nothing));
        assert!(reply(true)[0] < reply(false)[0]);
    }
}
