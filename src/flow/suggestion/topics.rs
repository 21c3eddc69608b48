//! Which articles the call is about: what the last turns' hits were worth, article by article.
//!
//! People stay with a matter for some turns and say less and less of it ("and what if I miss one?"),
//! so an article that was right a moment ago is likelier than another to be right now.

use crate::domain::ArticleId;

/// What is left of a turn's share at the next one.
const KEPT: f32 = 0.5;
/// Less than this is forgotten.
const LEAST: f32 = 0.05;

#[derive(Default)]
pub(super) struct Topics(Vec<(ArticleId, f32)>);

impl Topics {
    /// A turn has been searched for: its shares come on top of what is left of the earlier ones.
    pub fn turn_over<'a>(&mut self, shares: impl Iterator<Item = (&'a ArticleId, f32)>) {
        for (_, share) in &mut self.0 {
            *share *= KEPT;
        }
        for (article, share) in shares {
            match self.0.iter_mut().find(|(known, _)| known == article) {
                Some((_, known)) => *known += share,
                None => self.0.push((article.clone(), share)),
            }
        }
        self.0.retain(|(_, share)| *share >= LEAST);
    }

    pub fn share(&self, article: &ArticleId) -> f32 {
        self.0.iter().find(|(known, _)| known == article).map_or(0.0, |(_, share)| *share)
    }

    pub fn articles(&self) -> Vec<ArticleId> {
        self.0.iter().map(|(article, _)| article.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_fades_when_others_are_talked_about() {
        let (a, b) = (ArticleId::from("a"), ArticleId::from("b"));
        let mut topics = Topics::default();
        topics.turn_over([(&a, 0.5), (&a, 0.3)].into_iter());
        assert!((topics.share(&a) - 0.8).abs() < 1e-6);
        for _ in 0..5 {
            topics.turn_over([(&b, 0.6)].into_iter());
        }
        assert!(topics.share(&b) > 1.0 && topics.share(&a) == 0.0);
        assert_eq!(topics.articles(), [b]);
    }
}
