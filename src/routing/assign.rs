//! Who takes what: from scored pairs of waiting items and free agents to a matching.
//!
//! One free agent, or one waiting item, needs no more than the greatest score. When several of both are there, the
//! pairs with the greatest total are found by the Kuhn–Munkres algorithm (H. W. Kuhn, *The Hungarian method for the
//! assignment problem*, 1955; J. Munkres, 1957) on the most urgent items, and greedily beyond them. The greedy
//! matching has at least half of the greatest total (D. Avis, *A survey of heuristics for the weighted matching
//! problem*, Networks 13, 1983).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// So many agents at most are scored for an item; indexes by skill and queue name them.
pub const CANDIDATES: usize = 32;

/// So many of the most urgent items of a queue are matched at best, the rest greedily.
pub const URGENT: usize = 100;

/// A pair that may be made: this item to that agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    pub item: u32,
    pub agent: u32,
    /// Of [`Terms::score`](super::score::Terms::score). A pair without a positive score isn't made.
    pub score: f64,
}

/// The best pairs one after another, until no item or no agent is left. Equal scores go by item, then by agent, so
/// that the same edges in any order give the same pairs.
pub fn greedy(edges: &[Edge]) -> Vec<Edge> {
    let mut ranked: Vec<Edge> = sound(edges).collect();
    ranked.sort_unstable_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)).then(a.agent.cmp(&b.agent))
    });
    let (mut items, mut agents) = (Taken::default(), Taken::default());
    ranked.retain(|edge| {
        let free = !items.has(edge.item) && !agents.has(edge.agent);
        if free {
            items.take(edge.item);
            agents.take(edge.agent);
        }
        free
    });
    ranked
}

/// The pairs with the greatest total score. An item or an agent may stay without.
///
/// Exact to 2⁻⁴⁰ of the greatest score. Items that share no agent are matched apart from each other, and of agents
/// whom one item alone could have, only the best is looked at; both leave the total as it is. The rest is cubic, so
/// keep it to [`URGENT`] items with [`CANDIDATES`] each.
pub fn optimal(edges: &[Edge]) -> Vec<Edge> {
    let mut pairs = Vec::new();
    for group in groups(contested(edges)) {
        match_group(&group, &mut pairs);
    }
    pairs.sort_unstable_by_key(|pair| (pair.item, pair.agent));
    pairs
}

/// One cycle of a queue: the best matching for the [`URGENT`] first of `urgency` (items, most urgent first), then
/// greedily what is left of agents and items.
pub fn cycle(urgency: &[u32], edges: &[Edge]) -> Vec<Edge> {
    let mut urgent = Taken::default();
    urgency.iter().take(URGENT).for_each(|item| urgent.take(*item));
    let (first, rest): (Vec<Edge>, Vec<Edge>) =
        edges.iter().partition(|edge| urgent.has(edge.item));
    let mut pairs = optimal(&first);
    if !rest.is_empty() {
        let mut agents = Taken::default();
        pairs.iter().for_each(|pair| agents.take(pair.agent));
        let rest: Vec<Edge> = rest.into_iter().filter(|edge| !agents.has(edge.agent)).collect();
        pairs.extend(greedy(&rest));
    }
    pairs
}

/// The sum of the scores, for comparing matchings.
pub fn total(pairs: &[Edge]) -> f64 {
    pairs.iter().map(|pair| pair.score).sum()
}

/// By items, agents or classes, which are our own numbers: they need no protection against whoever chooses keys, and a
/// cycle looks up hundreds of thousands.
pub type Numbered<T> = HashMap<u32, T, BuildHasherDefault<ByNumber>>;

#[derive(Clone, Copy, Debug, Default)]
pub struct ByNumber(u64);

impl Hasher for ByNumber {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn sound(edges: &[Edge]) -> impl Iterator<Item = Edge> + '_ {
    edges.iter().copied().filter(|edge| edge.score.is_finite() && edge.score > 0.0)
}

/// A set of small numbers.
#[derive(Default)]
struct Taken(Vec<bool>);

impl Taken {
    fn has(&self, number: u32) -> bool {
        self.0.get(number as usize).copied().unwrap_or(false)
    }

    fn take(&mut self, number: u32) {
        let at = number as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, false);
        }
        self.0[at] = true;
    }
}

/// Without the edges that some best matching does without: of the agents that nobody else could have, an item takes
/// the best or none.
fn contested(edges: &[Edge]) -> Vec<Edge> {
    let mut wanted: Numbered<u32> = Numbered::default();
    for edge in sound(edges) {
        *wanted.entry(edge.agent).or_default() += 1;
    }
    let mut best: Numbered<Edge> = Numbered::default();
    let mut kept = Vec::with_capacity(edges.len());
    for edge in sound(edges) {
        if wanted[&edge.agent] > 1 {
            kept.push(edge);
            continue;
        }
        let own = best.entry(edge.item).or_insert(edge);
        if (edge.score, own.agent) > (own.score, edge.agent) {
            *own = edge;
        }
    }
    kept.extend(best.into_values());
    // By number: the order of a hash map must not decide between equal matchings.
    kept.sort_unstable_by_key(|edge| (edge.item, edge.agent));
    kept
}

/// Edges by connected parts of the graph, in the order of their first item.
fn groups(edges: Vec<Edge>) -> Vec<Vec<Edge>> {
    let mut parent: Vec<u32> = Vec::new();
    let mut items: Numbered<u32> = Numbered::default();
    let mut agents: Numbered<u32> = Numbered::default();
    let node = |parent: &mut Vec<u32>, of: &mut Numbered<u32>, number: u32| {
        *of.entry(number).or_insert_with(|| {
            let node = parent.len() as u32;
            parent.push(node);
            node
        })
    };
    for edge in &edges {
        let a = node(&mut parent, &mut items, edge.item);
        let b = node(&mut parent, &mut agents, edge.agent);
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        parent[a.max(b) as usize] = a.min(b);
    }
    let mut place: Numbered<usize> = Numbered::default();
    let mut groups: Vec<Vec<Edge>> = Vec::new();
    for edge in edges {
        let root = root(&mut parent, items[&edge.item]);
        let at = *place.entry(root).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(edge);
    }
    groups
}

fn root(parent: &mut [u32], mut node: u32) -> u32 {
    while parent[node as usize] != node {
        let above = parent[parent[node as usize] as usize];
        parent[node as usize] = above;
        node = above;
    }
    node
}

fn match_group(edges: &[Edge], pairs: &mut Vec<Edge>) {
    let distinct = |number: fn(&Edge) -> u32| {
        let mut all: Vec<u32> = edges.iter().map(number).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (items, agents) = (distinct(|edge| edge.item), distinct(|edge| edge.agent));
    if items.len() == 1 || agents.len() == 1 {
        // One side alone: the greatest score is the best matching.
        pairs.extend(greedy(edges).first());
        return;
    }
    // The algorithm wants integers, and no more rows than columns. What isn't a pair weighs nothing.
    let turned = items.len() > agents.len();
    let (rows, columns) = if turned { (&agents, &items) } else { (&items, &agents) };
    let greatest = edges.iter().map(|edge| edge.score).fold(0.0, f64::max);
    let scale = (1_u64 << 40) as f64 / greatest;
    let mut weights = Matrix::new(rows.len(), columns.len(), 0_i64);
    for edge in edges {
        let (row, column) = if turned { (edge.agent, edge.item) } else { (edge.item, edge.agent) };
        let (Ok(row), Ok(column)) = (rows.binary_search(&row), columns.binary_search(&column))
        else {
            continue;
        };
        weights[(row, column)] = ((edge.score * scale) as i64).max(1);
    }
    let (_, chosen) = kuhn_munkres(&weights);
    pairs.extend(chosen.into_iter().enumerate().filter_map(|(row, column)| {
        let (row, column) = (rows[row], columns[column]);
        let pair = if turned { (column, row) } else { (row, column) };
        // They stand in this order since they were looked at by `contested`.
        edges.binary_search_by_key(&pair, |edge| (edge.item, edge.agent)).ok().map(|at| edges[at])
    }));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge(item: u32, agent: u32, score: f64) -> Edge {
        Edge { item, agent, score }
    }

    /// The greatest total by trying everything.
    fn exhaustive(edges: &[Edge], items: &[u32], taken: &mut Vec<u32>) -> f64 {
        let Some((item, rest)) = items.split_first() else { return 0.0 };
        let mut best = exhaustive(edges, rest, taken);
        for edge in edges.iter().filter(|edge| edge.item == *item && edge.score > 0.0) {
            if !taken.contains(&edge.agent) {
                taken.push(edge.agent);
                best = best.max(edge.score + exhaustive(edges, rest, taken));
                taken.pop();
            }
        }
        best
    }

    #[test]
    fn greedy_takes_the_best_pair_and_optimal_the_best_total() {
        let edges = [edge(0, 0, 10.0), edge(0, 1, 9.0), edge(1, 0, 8.0), edge(1, 1, 1.0)];
        assert_eq!(greedy(&edges), [edge(0, 0, 10.0), edge(1, 1, 1.0)]);
        assert_eq!(optimal(&edges), [edge(0, 1, 9.0), edge(1, 0, 8.0)]);
    }

    #[test]
    fn pairs_without_a_score_are_not_made() {
        let edges =
            [edge(0, 0, 0.0), edge(1, 0, -2.0), edge(2, 1, f64::NAN), edge(3, 1, f64::INFINITY)];
        assert!(greedy(&edges).is_empty());
        assert!(optimal(&edges).is_empty());
        assert!(optimal(&[]).is_empty());
    }

    #[test]
    fn beyond_the_urgent_items_the_rest_is_greedy_among_who_is_left() {
        let count = URGENT as u32 + 20;
        let urgency: Vec<u32> = (0..count).collect();
        // The least urgent item has the greatest score for each agent, and still comes last.
        let edges: Vec<Edge> = (0..count)
            .flat_map(|item| (0..101).map(move |agent| edge(item, agent, f64::from(1 + item))))
            .collect();
        let pairs = cycle(&urgency, &edges);
        assert_eq!(pairs.len(), 101);
        assert_eq!(pairs.iter().filter(|pair| (pair.item as usize) < URGENT).count(), URGENT);
        assert_eq!(pairs.last().map(|pair| pair.item), Some(count - 1));
    }

    proptest! {
        #[test]
        fn optimal_has_the_greatest_total_and_greedy_at_least_half(
            scores in proptest::collection::vec((0_u32..5, 0_u32..5, 0_u32..50), 0..16)
        ) {
            let mut edges: Vec<Edge> =
                scores.iter().map(|(item, agent, score)| edge(*item, *agent, f64::from(*score))).collect();
            edges.sort_by_key(|edge| (edge.item, edge.agent));
            edges.dedup_by_key(|edge| (edge.item, edge.agent));
            let best = exhaustive(&edges, &[0, 1, 2, 3, 4], &mut Vec::new());
            for (pairs, least) in [(optimal(&edges), best), (greedy(&edges), best / 2.0)] {
                prop_assert!(total(&pairs) >= least - 1e-6 && total(&pairs) <= best + 1e-6);
                for (at, pair) in pairs.iter().enumerate() {
                    prop_assert!(edges.contains(pair));
                    prop_assert!(pairs[..at].iter().all(|other| other.item != pair.item && other.agent != pair.agent));
                }
            }
            let mut shuffled = edges.clone();
            shuffled.reverse();
            prop_assert_eq!(greedy(&edges), greedy(&shuffled));
            prop_assert_eq!(optimal(&edges), optimal(&shuffled));
        }
    }
}
