//! Places of a text that are taken.

use std::collections::BTreeMap;
use std::ops::Range;

/// Ranges of bytes, none over another: their ends by their starts. Asking takes a moment however many there are.
#[derive(Default)]
pub(in crate::insight::redaction) struct Places(BTreeMap<usize, usize>);

impl Places {
    pub fn overlap(&self, place: &Range<usize>) -> bool {
        self.last_over(place).is_some()
    }

    /// Takes a place that is free, and says whether it was.
    pub fn take(&mut self, place: Range<usize>) -> bool {
        let is_free = place.start < place.end && !self.overlap(&place);
        if is_free {
            self.0.insert(place.start, place.end);
        }
        is_free
    }

    /// Where the first begins that begins within this place.
    pub fn first_in(&self, place: &Range<usize>) -> Option<usize> {
        self.0.range(place.clone()).next().map(|(start, _)| *start)
    }

    fn last_over(&self, place: &Range<usize>) -> Option<Range<usize>> {
        let (start, end) = self.0.range(..place.end).next_back()?;
        (place.start < *end).then_some(*start..*end)
    }
}

impl Extend<Range<usize>> for Places {
    /// Those that lie over others become one with them.
    fn extend<I: IntoIterator<Item = Range<usize>>>(&mut self, places: I) {
        for mut place in places.into_iter().filter(|place| place.start < place.end) {
            while let Some(other) = self.last_over(&place) {
                self.0.remove(&other.start);
                place = place.start.min(other.start)..place.end.max(other.end);
            }
            self.0.insert(place.start, place.end);
        }
    }
}

impl FromIterator<Range<usize>> for Places {
    fn from_iter<I: IntoIterator<Item = Range<usize>>>(places: I) -> Self {
        let mut all = Self::default();
        all.extend(places);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_once() {
        let mut places: Places = [4..8, 20..22, 6..10, 3..3].into_iter().collect();
        for (place, overlaps) in
            [(0..4, false), (0..5, true), (9..12, true), (10..20, false), (21..21, true)]
        {
            assert_eq!(places.overlap(&place), overlaps, "{place:?}");
        }
        assert!(places.take(10..20) && !places.take(19..21) && !places.take(1..1));
        places.extend(std::iter::once(0..30));
        assert!(places.overlap(&(28..29)) && !places.overlap(&(30..31)));
    }
}
