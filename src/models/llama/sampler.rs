//! Which token comes next.

use std::cmp::Ordering;

/// Only the likeliest are thought of when one is drawn.
const DRAWN_FROM: usize = 256;
/// Of what these are likely to be together, the least likely rest is left out.
const TOP_SHARE: f32 = 0.95;
/// As many are put in order before all are: usually one of them may come.
const FIRST_LOOK: usize = 32;

pub(super) struct Sampler {
    temperature: f32,
    state: u64,
    order: Vec<u32>,
}

impl Sampler {
    /// The same seed gives the same choices on the same scores.
    pub fn new(temperature: f32, seed: u64) -> Self {
        Self { temperature, state: seed, order: Vec::new() }
    }

    /// The token, of those that may come; none if none may.
    pub fn pick(&mut self, scores: &[f32], may_come: &dyn Fn(u32) -> bool) -> Option<u32> {
        let is_greedy = self.temperature <= 0.0 || !self.temperature.is_finite();
        if is_greedy {
            let likeliest = (0..scores.len() as u32).min_by(|a, b| by_score(scores, *a, *b))?;
            if may_come(likeliest) {
                return Some(likeliest);
            }
        }
        let (look, wanted) = if is_greedy { (FIRST_LOOK, 1) } else { (DRAWN_FROM, DRAWN_FROM) };
        self.order.clear();
        self.order.extend(0..scores.len() as u32);
        self.sort(scores, look);
        self.order.retain(|token| may_come(*token));
        if self.order.is_empty() {
            self.order.extend((0..scores.len() as u32).filter(|token| may_come(*token)));
            self.sort(scores, wanted);
        }
        if is_greedy || self.order.len() < 2 {
            return self.order.first().copied();
        }
        let candidates = std::mem::take(&mut self.order);
        let drawn = self.draw(scores, &candidates);
        self.order = candidates;
        drawn
    }

    /// Leaves the `most` likeliest, in order.
    fn sort(&mut self, scores: &[f32], most: usize) {
        if most < self.order.len() {
            self.order.select_nth_unstable_by(most, |a, b| by_score(scores, *a, *b));
            self.order.truncate(most);
        }
        self.order.sort_unstable_by(|a, b| by_score(scores, *a, *b));
    }

    fn draw(&mut self, scores: &[f32], candidates: &[u32]) -> Option<u32> {
        let most = scores[*candidates.first()? as usize];
        let shares: Vec<f32> = candidates
            .iter()
            .map(|token| ((scores[*token as usize] - most) / self.temperature).exp())
            .collect();
        let mut left = shares.iter().sum::<f32>() * TOP_SHARE;
        let kept = shares.iter().position(|share| {
            left -= share;
            left <= 0.0
        });
        let kept = kept.map_or(shares.len(), |last| last + 1);
        let mut point = self.uniform() * shares[..kept].iter().sum::<f32>();
        let drawn = shares[..kept].iter().position(|share| {
            point -= share;
            point < 0.0
        });
        candidates.get(drawn.unwrap_or(kept - 1)).copied()
    }

    /// Between 0 and 1 (`SplitMix64`; G. Steele et al., 2014): no library's next version changes it.
    fn uniform(&mut self) -> f32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// The likelier first; of equals the smaller number.
fn by_score(scores: &[f32], a: u32, b: u32) -> Ordering {
    scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_heat_the_likeliest_that_may_come() {
        let mut scores = vec![0.0; 1_000];
        (scores[7], scores[900], scores[3]) = (3.0, 3.0, 2.0);
        let mut sampler = Sampler::new(0.0, 1);
        assert_eq!(sampler.pick(&scores, &|_| true), Some(7));
        assert_eq!(sampler.pick(&scores, &|token| token != 7), Some(900));
        // Beyond the first look.
        assert_eq!(sampler.pick(&scores, &|token| token == 555), Some(555));
        assert_eq!(sampler.pick(&scores, &|_| false), None);
        assert_eq!(sampler.pick(&[f32::NAN, 1.0], &|token| token == 1), Some(1));
    }

    #[test]
    fn a_seed_gives_the_same_choices_and_shares_are_kept() {
        let scores = [2.0_f32.ln(), 0.0, 1.0_f32.ln(), -20.0];
        let draw = |seed| {
            let mut sampler = Sampler::new(1.0, seed);
            (0..4_000).map(|_| sampler.pick(&scores, &|_| true).unwrap()).collect::<Vec<_>>()
        };
        let first = draw(5);
        assert_eq!(first, draw(5));
        assert_ne!(first, draw(6));
        let share = |token| first.iter().filter(|drawn| **drawn == token).count() as f32 / 4_000.0;
        assert!((share(0) - 0.5).abs() < 0.03 && (share(1) - 0.25).abs() < 0.03, "{}", share(0));
        assert_eq!(share(3), 0.0, "what is all but impossible never comes");
    }
}
