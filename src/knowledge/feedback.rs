//! What agents made of cards, as a prior of the next search: by article and by kind of question.
//!
//! Questions are in no clusters. A judged card counts by how near its question is to this one (kernel
//! regression: Nadaraya 1964, Watson 1964), so nobody chooses how many kinds of question there are, and
//! nothing is fitted again when people begin to ask something new. An article's rate of acceptance near
//! the question has a Beta distribution around the article's own rate, and that one around the rate of
//! everybody else's cards (Beta-binomial with an empirical prior: Gelman et al., Bayesian Data Analysis,
//! chapter 5). What comes out is the log-odds ratio of the two rates, less what chance may have done, by
//! its standard deviation (after Monroe, Colaresi and Quinn 2008,
//! <https://doi.org/10.1093/pan/mpn018>, who divide where this subtracts).
//!
//! ```text
//! base  = (accepted of others + 1) / (judged of others + 2)             within BASES
//! own   = (accepted + OWN · base) / (judged + OWN)                      within OWN_LIMIT of base
//! a     = Σ k · accepted  + HERE · own                                  k = nearness of the questions
//! b     = Σ k · dismissed + HERE · (1 − own)
//! d     = ln(a / b) − logit(base),  s = √(1/a + 1/b)
//! prior = d towards 0 by DOUBT · s, from −LIMIT to LIMIT
//! ```
//!
//! The rate of the others, and not of all: so a verdict speaks for or against its own article only.
//! Verdicts don't fade with age, since a question means next year what it means today. What does go out
//! of date is the text: a verdict on a sentence that no longer stands in its article counts less.

use std::collections::HashMap;
use std::sync::Arc;

use super::scan::Rows;
use crate::domain::{Article, ArticleId, VerdictKind};

/// A prior is never further from 0, in nats: odds of 2.7 to 1.
pub const LIMIT: f32 = 1.0;
/// Questions with a smaller cosine have nothing to say to each other; from the larger one on they are
/// the same. Between them, nearness grows evenly.
const FAR: f32 = 0.45;
const SAME: f32 = 0.8;
/// So many judged cards weigh as much as what is known without them.
const HERE: f32 = 3.0;
const OWN: f32 = 30.0;
/// So many standard deviations of the log-odds may be chance.
const DOUBT: f32 = 1.25;
/// Where nearly every card is accepted, one more still says something, and one that isn't says not all.
const BASES: (f32, f32) = (0.25, 0.75);
/// An article's own rate is counted no further from the base than this, in nats. So it moves nothing
/// alone, where nothing is known of such questions; and `a` and `b` stay above `DOUBT² / 4`, below
/// which a verdict could lessen the doubt by more than it moves the odds.
const OWN_LIMIT: f32 = 0.75;
/// What a verdict counts whose sentence no longer stands in the article.
const OUTDATED: f32 = 0.25;
/// From here on a prior is a reason to tell.
const TOLD: f32 = 0.1;
/// Rows that are scanned at a time.
const BLOCK: usize = 1_024;

/// A card that an agent has judged.
#[derive(Clone, Debug)]
pub struct JudgedCard {
    /// The vector of [`super::SearchRequest::compared`], of length 1.
    pub question: Arc<[f32]>,
    pub article: ArticleId,
    /// The sentence that was shown.
    pub quote: Arc<str>,
    pub verdict: VerdictKind,
}

/// How many were accepted, of how many; both weighted.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    accepted: f32,
    judged: f32,
}

impl Tally {
    /// An edited card answered, and not quite. Ignoring may mean no more than that there was no time.
    const fn of(verdict: VerdictKind) -> Self {
        match verdict {
            VerdictKind::Accepted => Self { accepted: 1.0, judged: 1.0 },
            VerdictKind::Edited => Self { accepted: 0.75, judged: 0.75 },
            VerdictKind::Dismissed => Self { accepted: 0.0, judged: 1.0 },
            VerdictKind::Ignored => Self { accepted: 0.0, judged: 0.1 },
        }
    }

    fn add(&mut self, other: Self, weight: f32) {
        self.accepted += weight * other.accepted;
        self.judged += weight * other.judged;
    }

    /// The mean rate when `strength` cards at `rate` were seen before.
    fn rate(self, rate: f32, strength: f32) -> f32 {
        (self.accepted + strength * rate) / (self.judged + strength)
    }
}

/// One tenant's judged cards. Immutable: a new verdict makes a new one.
pub struct Feedback {
    rows: Rows,
    /// By row.
    cards: Vec<Card>,
    articles: HashMap<ArticleId, usize>,
    judged: Vec<JudgedArticle>,
    all: Tally,
}

struct Card {
    article: usize,
    /// Among the sentences of the article.
    quote: usize,
    verdict: VerdictKind,
}

#[derive(Default)]
struct JudgedArticle {
    quotes: Vec<(Arc<str>, Tally)>,
    all: Tally,
}

/// What the verdicts say about an article.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prior {
    /// In nats, from -[`LIMIT`] to [`LIMIT`]; 0 without evidence.
    pub log_odds: f32,
    /// Of the cards for such questions: how many were accepted, and of how many.
    pub accepted: usize,
    pub judged: usize,
}

impl Feedback {
    /// `dimensions` is the length of each question's vector.
    pub fn of<'a>(dimensions: usize, cards: impl IntoIterator<Item = &'a JudgedCard>) -> Self {
        let mut this = Self {
            rows: Rows::new(dimensions),
            cards: Vec::new(),
            articles: HashMap::new(),
            judged: Vec::new(),
            all: Tally::default(),
        };
        for card in cards {
            this.push(card);
        }
        this
    }

    fn push(&mut self, card: &JudgedCard) {
        let article = match self.articles.get(&card.article) {
            Some(article) => *article,
            None => {
                self.judged.push(JudgedArticle::default());
                self.articles.insert(card.article.clone(), self.judged.len() - 1);
                self.judged.len() - 1
            }
        };
        let judged = &mut self.judged[article];
        let known = judged.quotes.iter().position(|(quote, _)| *quote == card.quote);
        let quote = known.unwrap_or_else(|| {
            judged.quotes.push((Arc::clone(&card.quote), Tally::default()));
            judged.quotes.len() - 1
        });
        let tally = Tally::of(card.verdict);
        judged.quotes[quote].1.add(tally, 1.0);
        judged.all.add(tally, 1.0);
        self.all.add(tally, 1.0);
        self.rows.push(&card.question);
        self.cards.push(Card { article, quote, verdict: card.verdict });
    }

    /// Cards that count.
    pub fn len(&self) -> usize {
        self.cards.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// The cards whose questions are near to this one.
    pub fn near(&self, question: &[f32]) -> Near<'_> {
        let mut near: HashMap<usize, Vec<(usize, f32)>> = HashMap::new();
        let (mut query, mut cosines) = (self.rows.query(question), Vec::new());
        for first in (0..self.cards.len()).step_by(BLOCK) {
            let rows = first..(first + BLOCK).min(self.cards.len());
            self.rows.products(&mut query, rows.clone(), &mut cosines);
            for (row, cosine) in rows.zip(&cosines) {
                if *cosine > FAR {
                    let nearness = ((cosine - FAR) / (SAME - FAR)).min(1.0);
                    near.entry(self.cards[row].article).or_default().push((row, nearness));
                }
            }
        }
        Near { feedback: self, near }
    }
}

/// What was made of cards for questions like one.
pub struct Near<'a> {
    feedback: &'a Feedback,
    /// By article: its cards, and how near each one's question is.
    near: HashMap<usize, Vec<(usize, f32)>>,
}

impl Near<'_> {
    /// The prior of an article as it stands now.
    pub fn prior(&self, article: &Article) -> Prior {
        let Some(&at) = self.feedback.articles.get(&article.id) else { return Prior::default() };
        let judged = &self.feedback.judged[at];
        let stands = |quote: &str| if article.body.contains(quote) { 1.0 } else { OUTDATED };
        let counts: Vec<f32> = judged.quotes.iter().map(|(quote, _)| stands(quote)).collect();
        let mut own = Tally::default();
        for ((_, tally), weight) in judged.quotes.iter().zip(&counts) {
            own.add(*tally, *weight);
        }
        let mut here = Tally::default();
        let mut prior = Prior::default();
        for &(row, nearness) in self.near.get(&at).into_iter().flatten() {
            let card = &self.feedback.cards[row];
            here.add(Tally::of(card.verdict), nearness * counts[card.quote]);
            let is_accepted = matches!(card.verdict, VerdictKind::Accepted | VerdictKind::Edited);
            prior.accepted += usize::from(is_accepted);
            prior.judged += usize::from(is_accepted || card.verdict == VerdictKind::Dismissed);
        }
        let all = self.feedback.all;
        // Differences of sums may come out a hair below 0.
        let others = Tally {
            accepted: (all.accepted - judged.all.accepted).max(0.0),
            judged: (all.judged - judged.all.judged).max(0.0),
        };
        let base = others.rate(0.5, 2.0).clamp(BASES.0, BASES.1);
        let own = logit(own.rate(base, OWN)) - logit(base);
        let own = logistic(logit(base) + own.clamp(-OWN_LIMIT, OWN_LIMIT));
        let accepted = here.accepted + HERE * own;
        let dismissed = here.judged - here.accepted + HERE * (1.0 - own);
        let odds = (accepted / dismissed).ln() - logit(base);
        let deviation = (accepted.recip() + dismissed.recip()).sqrt();
        prior.log_odds = odds.signum() * (odds.abs() - DOUBT * deviation).clamp(0.0, LIMIT);
        prior
    }
}

fn logit(rate: f32) -> f32 {
    (rate / (1.0 - rate)).ln()
}

fn logistic(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

impl Prior {
    /// In words for people, if it moves anything.
    pub fn reason(&self) -> Option<String> {
        let Self { log_odds, accepted, judged } = *self;
        match log_odds {
            up if up >= TOLD && accepted > 0 => {
                Some(format!("agents accepted it for such questions: {accepted} of {judged}"))
            }
            down if down <= -TOLD && judged > accepted => {
                let dismissed = judged - accepted;
                Some(format!("agents dismissed it for such questions: {dismissed} of {judged}"))
            }
            // The article's own rate moves nothing alone, so there were cards, and nobody judged them.
            down if down <= -TOLD && judged == 0 => {
                Some("agents ignored it for such questions".to_owned())
            }
            up if up >= TOLD => {
                Some("agents accept this article more often than others".to_owned())
            }
            down if down <= -TOLD => {
                Some("agents accept this article less often than others".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STANDS: &str = "It takes five days.";

    fn article(id: &str) -> Article {
        let body = format!("Refunds. {STANDS} Ask us.");
        Article::published(ArticleId::from(id), "Refunds".into(), body, Vec::new())
    }

    /// A question so many degrees away from the one that is asked.
    fn question(degrees: f32) -> Arc<[f32]> {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        Arc::from([cosine, sine])
    }

    fn judged(id: &str, degrees: f32, verdict: VerdictKind) -> JudgedCard {
        JudgedCard {
            question: question(degrees),
            article: id.into(),
            quote: STANDS.into(),
            verdict,
        }
    }

    fn prior(cards: &[JudgedCard], id: &str) -> Prior {
        Feedback::of(2, cards).near(&question(0.0)).prior(&article(id))
    }

    fn verdict() -> impl Strategy<Value = VerdictKind> {
        use VerdictKind::{Accepted, Dismissed, Edited, Ignored};
        prop::sample::select(vec![Accepted, Edited, Dismissed, Ignored])
    }

    prop_compose! {
        fn card()(id in "[a-c]", degrees in 0.0f32..180.0, verdict in verdict(), stands: bool)
            -> JudgedCard
        {
            let quote = if stands { STANDS } else { "It took six." };
            JudgedCard { quote: quote.into(), ..judged(&id, degrees, verdict) }
        }
    }

    proptest! {
        #[test]
        fn a_prior_is_bounded_and_nothing_without_verdicts(
            cards in prop::collection::vec(card(), 0..200)
        ) {
            for id in ["a", "b", "c"] {
                let Prior { log_odds, accepted, judged } = prior(&cards, id);
                prop_assert!(log_odds.abs() <= LIMIT && accepted <= judged);
            }
            prop_assert_eq!(prior(&cards, "d"), Prior::default());
        }

        #[test]
        fn a_verdict_speaks_for_or_against_its_own_article(
            cards in prop::collection::vec(card(), 0..60), more in card()
        ) {
            let id = more.article.to_string();
            let before = prior(&cards, &id).log_odds;
            let with = |verdict| {
                let mut cards = cards.clone();
                cards.push(JudgedCard { verdict, ..more.clone() });
                prior(&cards, &id).log_odds
            };
            prop_assert!(with(VerdictKind::Accepted) >= before - 1e-4);
            prop_assert!(with(VerdictKind::Dismissed) <= before + 1e-4);
            prop_assert!(with(VerdictKind::Ignored) >= with(VerdictKind::Dismissed) - 1e-4);
        }
    }

    #[test]
    fn near_questions_count_more_and_one_verdict_moves_nothing() {
        use VerdictKind::{Accepted, Dismissed};
        let of = |degrees, count| {
            let mut cards = vec![judged("a", degrees, Accepted); count];
            // Half of the others' cards are accepted.
            for verdict in [Accepted, Dismissed] {
                cards.extend(vec![judged("b", 90.0, verdict); 20]);
            }
            prior(&cards, "a").log_odds
        };
        assert_eq!(of(0.0, 1), 0.0);
        assert!(of(0.0, 5) > of(45.0, 5) && of(45.0, 5) > 0.0, "{} {}", of(0.0, 5), of(45.0, 5));
        assert_eq!(of(80.0, 1_000), 0.0, "what is accepted elsewhere says nothing here");
        assert_eq!(of(0.0, 60), LIMIT);
    }

    #[test]
    fn verdicts_on_a_sentence_that_is_gone_count_less() {
        let now = vec![judged("a", 0.0, VerdictKind::Dismissed); 20];
        let gone = |card: &JudgedCard| JudgedCard { quote: "It took six.".into(), ..card.clone() };
        let before: Vec<JudgedCard> = now.iter().map(gone).collect();
        let (now, before) = (prior(&now, "a").log_odds, prior(&before, "a").log_odds);
        assert!(now < before && before < -0.3, "{now} {before}");
    }

    #[test]
    fn one_dismissal_among_a_thousand_accepted_cards_is_no_proof() {
        let of = |dismissed: usize| {
            let mut cards = vec![judged("b", 0.0, VerdictKind::Accepted); 1_000];
            cards.extend(vec![judged("a", 0.0, VerdictKind::Dismissed); dismissed]);
            prior(&cards, "a").log_odds
        };
        assert_eq!(of(1), 0.0);
        assert!(of(3) < -0.5, "{}", of(3));
    }

    #[test]
    fn reasons_are_told_in_words() {
        let of = |log_odds, accepted, judged| Prior { log_odds, accepted, judged }.reason();
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(of(0.6, 5, 6), said("agents accepted it for such questions: 5 of 6"));
        assert_eq!(of(-0.6, 1, 6), said("agents dismissed it for such questions: 5 of 6"));
        assert_eq!(of(-0.2, 0, 0), said("agents ignored it for such questions"));
        assert_eq!(of(0.05, 5, 6), None);
    }
}
