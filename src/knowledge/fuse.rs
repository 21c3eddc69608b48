//! Several ranked lists into one: reciprocal rank fusion (Cormack, Clarke and Büttcher 2009,
//! <https://doi.org/10.1145/1571941.1572114>): each list gives weight / (k + rank), k = 60.

use std::collections::BTreeMap;

const K: f32 = 60.0;

/// One ranked list, best first, and how much it counts.
pub(crate) struct Ranking {
    pub weight: f32,
    pub passages: Vec<usize>,
}

/// A fused passage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fused {
    pub passage: usize,
    /// 1 for what every list puts first.
    pub score: f32,
    /// How many of the query's rare exact terms the passage holds.
    pub exact: usize,
}

/// Fuses, and lets no passage without a rare exact term of the query stand above one with it:
/// whoever says "E-104" means that code and no neighbour of it. `exact` are the holders of each
/// such term.
pub(crate) fn fuse(rankings: &[Ranking], exact: &[Vec<usize>]) -> Vec<Fused> {
    let mut scores: BTreeMap<usize, f32> = BTreeMap::new();
    let mut best = 0.0;
    for Ranking { weight, passages } in rankings {
        best += weight / (K + 1.0);
        let mut rank = K;
        for &passage in passages {
            rank += 1.0;
            *scores.entry(passage).or_default() += weight / rank;
        }
    }
    let mut fused: Vec<Fused> = scores
        .into_iter()
        .map(|(passage, score)| Fused {
            passage,
            score: score / f32::max(best, f32::MIN_POSITIVE),
            exact: exact.iter().filter(|holders| holders.binary_search(&passage).is_ok()).count(),
        })
        .collect();
    fused.sort_by(|a, b| b.exact.cmp(&a.exact).then(b.score.total_cmp(&a.score)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_wins_and_exact_terms_are_never_drowned() {
        let lists = [
            Ranking { weight: 1.0, passages: vec![1, 2, 3] },
            Ranking { weight: 1.0, passages: vec![2, 1, 4, 3] },
            Ranking { weight: 0.5, passages: vec![2] },
        ];
        let order = |exact: &[Vec<usize>]| {
            fuse(&lists, exact).iter().map(|f| f.passage).collect::<Vec<_>>()
        };
        assert_eq!(order(&[]), [2, 1, 3, 4]);
        assert_eq!(order(&[vec![4]]), [4, 2, 1, 3]);
        assert_eq!(order(&[vec![1, 4], vec![4]])[..2], [4, 1]);
    }
}
