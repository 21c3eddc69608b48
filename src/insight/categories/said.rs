//! Whether a turn says what a rule listens for, and where.

use std::ops::Range;

use super::rule::Happening;
use super::scan::{Found, PhraseId};

/// The words that a happening rests on, in the order in which they stand; `None` when it isn't said.
pub fn said(happening: &Happening, found: &Found) -> Option<Vec<Range<usize>>> {
    match happening {
        Happening::Said { phrases, except } => {
            let except = places(except, found);
            let mut here = places(phrases, found);
            here.retain(|place| !except.iter().any(|other| overlap(place, other)));
            here.into_iter().next().map(|place| vec![place])
        }
        Happening::Near { groups, within_words, in_order, except } => {
            let except = places(except, found);
            let mut all = Vec::new();
            for group in groups {
                let mut here = places(group, found);
                here.retain(|place| !except.iter().any(|other| overlap(place, other)));
                if here.is_empty() {
                    return None;
                }
                all.push(here);
            }
            let mut chosen = near(&all, *within_words, *in_order, &mut Vec::new())?;
            chosen.sort_by_key(|place| place.start);
            Some(chosen)
        }
        Happening::Intent { .. }
        | Happening::Silence { .. }
        | Happening::Overlap { .. }
        | Happening::Long { .. } => None,
    }
}

/// Each alternative of a group may stand at this many places before the rest isn't looked at.
const PLACES_MAX: usize = 8;

/// Where these phrases stand: by place, of two at one place the longer first.
fn places(phrases: &[PhraseId], found: &Found) -> Vec<Range<usize>> {
    let mut all: Vec<_> =
        phrases.iter().filter_map(|phrase| found.get(phrase)).flatten().cloned().collect();
    all.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    all.truncate(PLACES_MAX * 4);
    all
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// One place of each group so that neighbours are no farther apart than this.
fn near(
    groups: &[Vec<Range<usize>>],
    within: usize,
    in_order: bool,
    chosen: &mut Vec<Range<usize>>,
) -> Option<Vec<Range<usize>>> {
    let Some(group) = groups.get(chosen.len()) else {
        let mut sorted = chosen.clone();
        sorted.sort_by_key(|place| place.start);
        let is_near = |pair: &[Range<usize>]| {
            pair[1].start.checked_sub(pair[0].end).is_some_and(|gap| gap <= within)
        };
        return sorted.windows(2).all(is_near).then_some(sorted);
    };
    for place in group.iter().take(PLACES_MAX) {
        let fits = match chosen.last() {
            Some(last) if in_order => place.start >= last.end,
            _ => !chosen.iter().any(|other| overlap(other, place)),
        };
        if fits {
            chosen.push(place.clone());
            if let Some(all) = near(groups, within, in_order, chosen) {
                return Some(all);
            }
            chosen.pop();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "places are ranges")]
    fn near_is_near_in_any_order_or_in_one() {
        let groups = [vec![7..8], vec![0..1, 4..6]];
        let within = |words, in_order| near(&groups, words, in_order, &mut Vec::new());
        assert_eq!(within(1, false), Some(vec![4..6, 7..8]));
        assert_eq!(within(0, false), None);
        assert_eq!(within(9, true), None);
        assert_eq!(
            near(&[vec![0..1], vec![0..2]], 5, false, &mut Vec::new()),
            None,
            "one on another"
        );
    }
}
