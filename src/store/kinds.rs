//! Which kinds of events somebody wants: `turn.final,suggestion.*`.

/// A filter on event kinds. Empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindFilter(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exactly(Box<str>),
    StartsWith(Box<str>),
}

/// The filter can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an event type; write names such as turn.final or suggestion.*, separated by commas"
)]
pub struct BadKinds(String);

impl KindFilter {
    pub const fn all() -> Self {
        Self(Vec::new())
    }

    /// One kind only.
    pub fn exactly(kind: &str) -> Self {
        Self(vec![Pattern::Exactly(kind.into())])
    }

    /// This kind, too.
    #[must_use]
    pub fn or(mut self, kind: &str) -> Self {
        self.0.push(Pattern::Exactly(kind.into()));
        self
    }

    /// Reads a comma list; a name may begin with `backchannel.` and end with `*`.
    pub fn parse(text: &str) -> Result<Self, BadKinds> {
        let mut patterns = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let name = part.strip_prefix("backchannel.").unwrap_or(part);
            let (stem, open) = match name.strip_suffix('*') {
                Some(stem) => (stem, true),
                None => (name, false),
            };
            let known = |c: char| c.is_ascii_lowercase() || c == '.' || c == '_';
            if !stem.chars().all(known) || (stem.is_empty() && !open) {
                return Err(BadKinds(part.chars().take(64).collect()));
            }
            patterns.push(if open {
                Pattern::StartsWith(stem.into())
            } else {
                Pattern::Exactly(stem.into())
            });
        }
        Ok(Self(patterns))
    }

    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    pub fn matches(&self, kind: &str) -> bool {
        self.is_all()
            || self.0.iter().any(|pattern| match pattern {
                Pattern::Exactly(name) => **name == *kind,
                Pattern::StartsWith(stem) => kind.starts_with(&**stem),
            })
    }

    /// What to compare with, and whether a kind need only begin with it.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|pattern| match pattern {
            Pattern::Exactly(name) => (&**name, false),
            Pattern::StartsWith(stem) => (&**stem, true),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stars_and_the_prefix() {
        let filter = KindFilter::parse("turn.final, backchannel.suggestion.*,").expect("reads");
        assert!(filter.matches("turn.final"));
        assert!(filter.matches("suggestion.offered"));
        assert!(!filter.matches("turn.partial"));
        assert!(!filter.matches("turn.final.more"));
        assert!(KindFilter::parse("").expect("reads").matches("anything"));
        assert!(KindFilter::parse("*").expect("reads").matches("anything"));
        assert!(KindFilter::parse("turn.fi[n]al").is_err());
        assert!(KindFilter::parse("backchannel.").is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_what_it_takes_is_plain(text in ".{0,80}") {
            if let Ok(filter) = KindFilter::parse(&text) {
                for (name, _) in filter.names() {
                    prop_assert!(!name.contains(['*', '?', '[', '\'']));
                }
            }
        }

        #[test]
        fn a_name_matches_itself_and_its_stems(name in "[a-z_]{1,8}\\.[a-z]{1,8}", cut in 0usize..8) {
            prop_assert!(KindFilter::parse(&name).expect("reads").matches(&name));
            let stem = format!("backchannel.{}*", &name[..cut.min(name.len())]);
            prop_assert!(KindFilter::parse(&stem).expect("reads").matches(&name));
        }
    }
}
