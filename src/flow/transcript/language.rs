//! Which language a leg speaks: found out once, kept, and doubted for good reason only.

use std::sync::Arc;

use crate::models::{ENGLISH, Heard};

/// Below this mean log-probability a final speaks against the language that was kept.
const DOUBTFUL_LOGPROB: f32 = -0.8;
/// So many doubtful finals in a row make the next one be listened to without a language.
const DOUBTS_MAX: u32 = 2;
/// So many times in a row another language has to be clear before it replaces the one that was kept.
const REVISED_AFTER: u32 = 2;

/// One leg's language, as ISO 639-1.
#[derive(Debug, Default)]
pub(super) struct LegLanguage {
    /// Given by the settings: nothing is found out.
    given: Option<Arc<str>>,
    kept: Option<Arc<str>>,
    doubts: u32,
    /// Another one that was clear, and how many times in a row.
    other: Option<(Arc<str>, u32)>,
}

impl LegLanguage {
    pub(super) fn new(given: Option<Arc<str>>) -> Self {
        Self { given, ..Self::default() }
    }

    /// What to listen for; `None`: find out.
    pub(super) fn hint(&self) -> Option<Arc<str>> {
        let doubted = self.doubts >= DOUBTS_MAX || self.other.is_some();
        self.given.clone().or_else(|| self.kept.clone().filter(|_| !doubted))
    }

    /// What the leg's turns are said to be in.
    pub(super) fn name(&self) -> Arc<str> {
        self.given.clone().or_else(|| self.kept.clone()).unwrap_or_else(|| ENGLISH.into())
    }

    /// Takes a final before any guard has looked at it.
    pub(super) fn hear(&mut self, heard: &Heard) {
        if self.given.is_some() {
            return;
        }
        let asked = self.hint().is_none();
        let doubtful = heard.tokens == 0 || heard.mean_logprob < DOUBTFUL_LOGPROB;
        self.doubts = if doubtful { self.doubts + 1 } else { 0 };
        let Some(clear) = heard.language.as_ref().filter(|_| asked) else { return };
        match &self.kept {
            Some(kept) if kept != clear => {
                let times = match self.other.take() {
                    Some((other, times)) if other == *clear => times + 1,
                    _ => 1,
                };
                if times >= REVISED_AFTER {
                    self.kept = Some(Arc::clone(clear));
                    self.doubts = 0;
                } else {
                    self.other = Some((Arc::clone(clear), times));
                }
            }
            _ => {
                self.kept = Some(Arc::clone(clear));
                self.other = None;
                self.doubts = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(language: Option<&str>, mean_logprob: f32) -> Heard {
        let language = language.map(Into::into);
        Heard { tokens: 5, mean_logprob, language, ..Heard::default() }
    }

    /// What is asked for before each final, and what the turns are called after it.
    fn run(language: &mut LegLanguage, finals: &[(Option<&str>, f32)]) -> Vec<String> {
        let step = |(clear, logprob): &(Option<&str>, f32)| {
            let asked = language.hint().unwrap_or_else(|| "?".into());
            language.hear(&heard(*clear, *logprob));
            format!("{asked}>{}", language.name())
        };
        finals.iter().map(step).collect()
    }

    #[test]
    fn a_language_is_found_once_and_kept() {
        let finals = [(None, -0.4), (Some("fr"), -0.3), (Some("fr"), -0.4), (Some("fr"), -0.9)];
        let seen = run(&mut LegLanguage::default(), &finals);
        assert_eq!(seen, ["?>en", "?>fr", "fr>fr", "fr>fr"]);
    }

    #[test]
    fn only_clear_evidence_twice_over_revises_it() {
        let mut language = LegLanguage::default();
        let doubted = [(Some("en"), -0.2), (Some("en"), -1.0), (Some("en"), -1.1)];
        assert_eq!(run(&mut language, &doubted), ["?>en", "en>en", "en>en"]);
        // Asked again: once is not enough, and the old one puts an end to it.
        let asked = [(Some("es"), -0.3), (Some("en"), -0.3), (Some("en"), -0.3)];
        assert_eq!(run(&mut language, &asked), ["?>en", "?>en", "en>en"]);
        let again =
            [(None, -1.0), (None, -1.0), (Some("es"), -0.3), (None, -0.3), (Some("es"), -0.3)];
        assert_eq!(run(&mut language, &again), ["en>en", "en>en", "?>en", "?>en", "?>es"]);
        assert_eq!(run(&mut language, &[(Some("es"), -0.3)]), ["es>es"]);
    }

    #[test]
    fn a_given_language_is_never_doubted() {
        let mut language = LegLanguage::new(Some("de".into()));
        let finals = [(Some("en"), -1.5), (Some("en"), -1.5), (Some("en"), -1.5)];
        assert_eq!(run(&mut language, &finals), ["de>de"; 3]);
    }
}
