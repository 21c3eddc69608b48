//! How the customer feels, from the words of the latest six messages. English only.
//!
//! A lexicon and a few rules, so that each level can be explained by the words that it comes from. It hears no
//! voice and no irony.

mod lexicon;
mod message;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub use self::lexicon::Foulness;
pub use self::message::{MessageSentiment, rate};
use crate::domain::{Role, Sentiment, SentimentLevel, SentimentTrend, Turn};

/// From so many of the customer's latest messages.
pub const MESSAGES: usize = 6;

/// Of each message, how much it counts against the one after it.
const FADING: f32 = 0.75;
/// Newer and older messages differ by this before it is a trend.
const TREND: f32 = 0.2;

/// From which score on a level begins, upwards; below, the same downwards.
const SLIGHT: f32 = 0.1;
const CLEAR: f32 = 0.3;
const STRONG: f32 = 0.6;

/// The level of a score.
pub fn level(score: f32) -> SentimentLevel {
    match score {
        score if score <= -STRONG => SentimentLevel::VeryNegative,
        score if score <= -CLEAR => SentimentLevel::Negative,
        score if score <= -SLIGHT => SentimentLevel::SlightlyNegative,
        score if score >= STRONG => SentimentLevel::VeryPositive,
        score if score >= CLEAR => SentimentLevel::Positive,
        score if score >= SLIGHT => SentimentLevel::SlightlyPositive,
        _ => SentimentLevel::Neutral,
    }
}

/// The worst score that is still of this level or better, for rules: `at least positive`.
pub const fn least_of(level: SentimentLevel) -> f32 {
    match level {
        SentimentLevel::VeryNegative => -1.0,
        SentimentLevel::Negative => -STRONG,
        SentimentLevel::SlightlyNegative => -CLEAR,
        SentimentLevel::Neutral => -SLIGHT,
        SentimentLevel::SlightlyPositive => SLIGHT,
        SentimentLevel::Positive => CLEAR,
        SentimentLevel::VeryPositive => STRONG,
    }
}

/// The best score that is still of this level or worse, for rules: `at most negative`.
pub const fn most_of(level: SentimentLevel) -> f32 {
    match level {
        SentimentLevel::VeryNegative => -STRONG,
        SentimentLevel::Negative => -CLEAR,
        SentimentLevel::SlightlyNegative => -SLIGHT,
        SentimentLevel::Neutral => SLIGHT,
        SentimentLevel::SlightlyPositive => CLEAR,
        SentimentLevel::Positive => STRONG,
        SentimentLevel::VeryPositive => 1.0,
    }
}

/// The feeling of one conversation's customer. It begins neutral.
#[derive(Clone, Debug, Default)]
pub struct Mood {
    /// The newest last, with how foul each was.
    latest: VecDeque<(f32, Option<Foulness>)>,
}

impl Mood {
    /// Takes a turn. `None` when it isn't the customer's, or in a language that isn't read.
    pub fn take(&mut self, turn: &Turn) -> Option<Sentiment> {
        let is_customers = matches!(turn.party.role, Role::Customer | Role::Mixed);
        if !is_customers || turn.language != "en" {
            return None;
        }
        let message = rate(&turn.text);
        if self.latest.len() == MESSAGES {
            self.latest.pop_front();
        }
        // Swearing is no good mood, whatever else is said.
        let message_score = match message.foul {
            Some(Foulness::VeryFoul) => message.score.min(-STRONG),
            Some(Foulness::Foul) => message.score.min(-CLEAR),
            None => message.score,
        };
        self.latest.push_back((message_score, message.foul));
        let score = self.score();
        Some(Sentiment {
            turn_id: turn.id.clone(),
            score,
            level: level(score),
            trend: self.trend(),
            message_score,
            messages: self.latest.len(),
            terms: message.terms,
        })
    }

    fn score(&self) -> f32 {
        let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
        for (score, _) in self.latest.iter().rev() {
            sum += weight * score;
            weights += weight;
            weight *= FADING;
        }
        let score = if weights > 0.0 { sum / weights } else { 0.0 };
        match self.latest.back() {
            Some((_, Some(Foulness::VeryFoul))) => score.min(-STRONG),
            Some((_, Some(Foulness::Foul))) => score.min(-CLEAR),
            _ => score,
        }
    }

    /// The newer half of the messages against the older one.
    fn trend(&self) -> SentimentTrend {
        let newer = self.latest.len().div_ceil(2);
        let older = self.latest.len() - newer;
        if older == 0 {
            return SentimentTrend::Steady;
        }
        #[expect(clippy::cast_precision_loss, reason = "six at most")]
        let mean = |scores: &mut dyn Iterator<Item = &(f32, Option<Foulness>)>, many: usize| {
            scores.map(|(score, _)| score).sum::<f32>() / many as f32
        };
        let before = mean(&mut self.latest.iter().take(older), older);
        let now = mean(&mut self.latest.iter().skip(older), newer);
        match now - before {
            change if change >= TREND => SentimentTrend::Rising,
            change if change <= -TREND => SentimentTrend::Falling,
            _ => SentimentTrend::Steady,
        }
    }
}
