//! The calls of one run, drawn before it begins: every policy meets the same callers with the same patience, the same
//! work and the same luck, so that differences between policies are differences of the policies (common random numbers).

use super::sample::{Dice, Duration, cumulative};
use super::world::World;

/// A contact that asks for an agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    pub at_s: f64,
    /// Gives up after so long in the queue.
    pub patience_s: f32,
    /// Factor of the agent's mean handling time.
    pub work: f32,
    /// Resolved by whoever resolves more than this share.
    pub hardness: f32,
    /// Comes back after so long if not resolved; negative: never.
    pub again_s: f32,
    /// Number of the caller's first contact.
    pub origin: u32,
    /// What was heard: a class, or the number of classes for "abstained".
    pub heard: u16,
    pub class: u8,
    pub tier: u8,
    /// 0 for the first contact.
    pub attempt: u8,
}

/// Nobody calls more often about one thing.
const ATTEMPTS: u8 = 10;

const ARRIVALS: u64 = 1;
const CALLERS: u64 = 2;

/// What is needed to draw callers.
pub struct Callers<'a> {
    world: &'a World,
    heard: Vec<Vec<f64>>,
    seed: u64,
}

impl<'a> Callers<'a> {
    pub fn new(world: &'a World, seed: u64) -> Self {
        let heard = (0..world.classes.len())
            .map(|class| cumulative(world.confusion.row(class).iter().copied()))
            .collect();
        Self { world, heard, seed }
    }

    /// Calls at random (Poisson) at this rate, from 0 to the horizon, oldest first.
    pub fn poisson(&self, per_s: f64) -> Vec<Call> {
        let mut dice = Dice::apart(self.seed, ARRIVALS, 0);
        let classes = cumulative(self.world.classes.iter().map(|class| class.share));
        let tiers = cumulative(self.world.tiers.iter().map(|tier| tier.share));
        let mut calls = Vec::with_capacity((per_s * self.world.horizon_s * 1.1) as usize + 16);
        let mut at_s = 0.0;
        loop {
            at_s += dice.exponential() / per_s;
            if at_s >= self.world.horizon_s {
                return calls;
            }
            let (class, tier) = (dice.pick(&classes), dice.pick(&tiers));
            calls.push(self.draw(&mut dice, at_s, class as u8, tier as u8));
            if let Some(last) = calls.len().checked_sub(1) {
                calls[last].origin = last as u32;
            }
        }
    }

    /// A first contact of a known kind, with everything else drawn.
    pub fn draw(&self, dice: &mut Dice, at_s: f64, class: u8, tier: u8) -> Call {
        let kind = &self.world.classes[usize::from(class)];
        let patience_s = match kind.patience {
            Duration::Never => f32::INFINITY,
            ref patience => patience.draw(dice) as f32,
        };
        let work = kind.work.draw(dice) as f32;
        let hardness = dice.unit() as f32;
        let again_s = match self.world.returns {
            Some(returns) if dice.unit() < returns.share => {
                (returns.after_s * dice.exponential()) as f32
            }
            _ => -1.0,
        };
        let heard = dice.pick(&self.heard[usize::from(class)]) as u16;
        Call {
            at_s,
            patience_s,
            work,
            hardness,
            again_s,
            origin: 0,
            heard,
            class,
            tier,
            attempt: 0,
        }
    }

    /// The next contact of somebody who wasn't helped by this one, when it ended at `ended_s`. The same for all
    /// policies but for its time: it is drawn from the caller's number and the attempt.
    pub fn again(&self, call: &Call, ended_s: f64) -> Option<Call> {
        if call.again_s < 0.0 || call.attempt >= ATTEMPTS {
            return None;
        }
        let at_s = ended_s + f64::from(call.again_s);
        let number = u64::from(call.origin) << 8 | u64::from(call.attempt);
        let mut dice = Dice::apart(self.seed, CALLERS, number);
        let next = self.draw(&mut dice, at_s, call.class, call.tier);
        Some(Call { origin: call.origin, attempt: call.attempt + 1, ..next })
    }
}
