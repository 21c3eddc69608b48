//! Throws out what a recogniser invents on silence, music and noise.

use super::gate::Voice;
use crate::domain::number_of;
use crate::models::{Heard, HeardWord};

/// Why something heard was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejected {
    /// No words at all.
    Empty,
    /// The recogniser itself was unsure.
    Unsure,
    /// A phrase that Whisper's training subtitles taught it to say over silence.
    Phrase,
    /// Only sound descriptions, such as "[Music]".
    Sounds,
    /// The recogniser failed.
    Undecoded,
}

impl Rejected {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unsure => "unsure",
            Self::Phrase => "phrase",
            Self::Sounds => "sounds",
            Self::Undecoded => "undecoded",
        }
    }
}

/// Thresholds, measured on telephone speech and on silence, tones and music (`benches/README.md`).
#[derive(Clone, Debug, PartialEq)]
pub struct Guards {
    /// Mean token log-probability below which nothing is believed.
    pub mean_logprob_min: f32,
    /// When two recognisers heard words, each of them may be so unsure.
    pub agreed_logprob_min: f32,
    /// Below this, a phrase that is typical of invention isn't believed either.
    pub phrase_logprob_min: f32,
    /// The same words so many times in a row are a loop.
    pub loop_repeats_max: usize,
    /// A short answer is believed in spite of the above when the detector's mean score, the loudest
    /// frame against the line's noise, and a second opinion's log-probability reach these.
    pub voice_score_min: f32,
    pub voice_above_db_min: f32,
    pub confirmed_logprob_min: f32,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            mean_logprob_min: -0.8,
            agreed_logprob_min: -1.3,
            phrase_logprob_min: -0.35,
            loop_repeats_max: 3,
            voice_score_min: 0.75,
            voice_above_db_min: 12.0,
            confirmed_logprob_min: -1.1,
        }
    }
}

/// What Whisper says when nothing was said.
const INVENTED: &[&str] = &[
    "thank you",
    "thanks for watching",
    "thank you for watching",
    "thank you very much",
    "please subscribe",
    "subscribe",
    "you",
    "bye",
    "bye bye",
    "i'm sorry",
    "so",
    "okay",
    "the end",
    "oh",
    "hmm",
    "mm",
    "beep",
    "music",
    "subtitles by the amaraorg community",
    "transcription by castingwords",
];

/// Short answers, which a conversation is lost without.
const CONFIRMATIONS: &[&str] = &[
    "okay",
    "ok",
    "yes",
    "yeah",
    "yep",
    "no",
    "nope",
    "right",
    "sure",
    "fine",
    "correct",
    "great",
    "mmhm",
    "mhm",
    "mmhmm",
    "uhhuh",
    "thanks",
    "thank you",
    "please",
    "hello",
    "hi",
    "bye",
    "goodbye",
    "bye bye",
];
/// How long the voice of one lasts: shorter is a click, longer is something else, such as music.
const CONFIRMED_MS: std::ops::RangeInclusive<u64> = 144..=960;

impl Guards {
    /// Returns what can be believed of a final, of which it is known how it sounded. On a bad line
    /// a short "okay" scores as low as an invented one; a voice was there or it wasn't.
    ///
    /// # Errors
    /// The reason when nothing can.
    pub fn check_said(&self, heard: Heard, voice: Voice) -> Result<Heard, Rejected> {
        let confirmed = self.confirmation(&heard, voice).cloned();
        self.check(heard).or_else(|rejected| confirmed.ok_or(rejected))
    }

    /// The short answer that was said, if one was: the recognisers agree on it, or it is likely
    /// enough and sounded like a voice for as long as such a word takes.
    fn confirmation<'a>(&self, heard: &'a Heard, voice: Voice) -> Option<&'a Heard> {
        let spoken = (CONFIRMED_MS.contains(&voice.voiced_ms()))
            && voice.mean_score() >= self.voice_score_min
            && voice.loudest_above_db() >= self.voice_above_db_min;
        if !spoken {
            return None;
        }
        let confirms = |heard: &Heard| CONFIRMATIONS.contains(&bare(heard).as_str());
        match heard.second.as_deref() {
            None => {
                let likely = heard.mean_logprob >= self.mean_logprob_min;
                (likely && confirms(heard)).then_some(heard)
            }
            Some(second) => {
                let agreed = bare(heard) == bare(second);
                let likely = second.mean_logprob >= self.confirmed_logprob_min;
                ((agreed || likely) && confirms(second)).then_some(second)
            }
        }
    }

    /// Returns what can be believed of `heard`.
    ///
    /// # Errors
    /// The reason when nothing can.
    pub fn check(&self, mut heard: Heard) -> Result<Heard, Rejected> {
        let second = heard.second.take();
        let first = self.clean(heard);
        let second = second.map(|second| self.clean(*second));
        match (first, second) {
            (Ok(first), Some(Ok(second))) if self.is_doubtful(&first) => {
                let better =
                    if second.mean_logprob > first.mean_logprob { second } else { first.clone() };
                if better.mean_logprob < self.mean_logprob_min
                    && first.mean_logprob < self.agreed_logprob_min
                {
                    return Err(Rejected::Unsure);
                }
                self.believe(better, self.agreed_logprob_min)
            }
            (Err(_), Some(Ok(second))) => self.believe(second, self.phrase_logprob_min),
            (Ok(first), _) => self.believe(first, self.mean_logprob_min),
            (Err(rejected), _) => Err(rejected),
        }
    }

    fn is_doubtful(&self, heard: &Heard) -> bool {
        heard.mean_logprob < self.mean_logprob_min
    }

    /// Takes out what describes and what repeats.
    fn clean(&self, mut heard: Heard) -> Result<Heard, Rejected> {
        let any = !heard.words.is_empty();
        drop_sounds(&mut heard.words);
        if heard.words.is_empty() {
            return Err(if any { Rejected::Sounds } else { Rejected::Empty });
        }
        collapse_loops(&mut heard.words, self.loop_repeats_max);
        Ok(heard)
    }

    fn believe(&self, heard: Heard, mean_logprob_min: f32) -> Result<Heard, Rejected> {
        if heard.mean_logprob < mean_logprob_min {
            return Err(Rejected::Unsure);
        }
        if INVENTED.contains(&bare(&heard).as_str()) && heard.mean_logprob < self.phrase_logprob_min
        {
            return Err(Rejected::Phrase);
        }
        Ok(heard)
    }
}

/// The words without case and marks.
fn bare(heard: &Heard) -> String {
    let said = heard.text().to_lowercase();
    let said: String =
        said.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '\'')).collect();
    said.trim().to_owned()
}

/// Removes "[Music]", "(phone rings)", "♪" and lone dashes, which describe and don't quote.
fn drop_sounds(words: &mut Vec<HeardWord>) {
    let mut inside: Option<char> = None;
    words.retain(|word| {
        let text = word.text.trim_matches(|c| matches!(c, '.' | ',' | '!' | '?'));
        if let Some(end) = inside {
            if text.ends_with(end) {
                inside = None;
            }
            return false;
        }
        for (start, end) in [('[', ']'), ('(', ')'), ('*', '*')] {
            if text.starts_with(start) && text.len() > 1 {
                if !text.ends_with(end) {
                    inside = Some(end);
                }
                return false;
            }
        }
        text.chars().any(char::is_alphanumeric)
    });
}

/// Cuts "I think I think I think I think" down to one: up to eight words repeated more than
/// `repeats_max` times in a row. People do say "no, no, no".
fn collapse_loops(words: &mut Vec<HeardWord>, repeats_max: usize) {
    let bare: Vec<String> = words
        .iter()
        .map(|word| {
            word.text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        })
        .collect();
    for length in 1..=8 {
        let mut start = 0;
        while start + length * (repeats_max + 1) <= words.len() {
            let pattern = &bare[start..start + length];
            let repeats =
                bare[start..].chunks(length).take_while(|chunk| *chunk == pattern).count();
            // Digits repeat in real numbers, written or spelt.
            let digits = pattern.iter().all(|word| {
                word.chars().all(|c| c.is_ascii_digit())
                    || number_of(word).is_some_and(|number| number < 10)
                    || word == "oh"
            });
            if repeats > repeats_max && !digits {
                words.drain(start + length..start + length * repeats);
                return collapse_loops(words, repeats_max);
            }
            start += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str, mean_logprob: f32) -> Heard {
        let words: Vec<HeardWord> = text
            .split_whitespace()
            .map(|text| HeardWord { text: text.into(), start_ms: 0, end_ms: 0, confidence: 0.5 })
            .collect();
        Heard { tokens: words.len(), words, mean_logprob, ..Heard::default() }
    }

    fn check(text: &str, mean_logprob: f32) -> String {
        match Guards::default().check(heard(text, mean_logprob)) {
            Ok(heard) => heard.text(),
            Err(rejected) => format!("<{}>", rejected.as_str()),
        }
    }

    #[test]
    fn a_second_opinion_decides_when_the_first_is_unsure() {
        for (first, second, expected) in [
            (("Then you'll arc", -0.99), ("Then you'll all care", -0.91), "Then you'll all care"),
            (("[Birds chirping]", -0.94), (". . . . .", -0.45), "<sounds>"),
            (("(laughs)", -1.05), ("That's fine.", -0.3), "That's fine."),
            (("(laughs)", -1.05), ("That's fine.", -0.6), "<unsure>"),
            (("I'm here.", -1.62), ("Um.", -1.34), "<unsure>"),
        ] {
            let mut heard = heard(first.0, first.1);
            heard.second = Some(Box::new(self::heard(second.0, second.1)));
            let said = match Guards::default().check(heard) {
                Ok(heard) => heard.text(),
                Err(rejected) => format!("<{}>", rejected.as_str()),
            };
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn short_answers_are_believed_where_a_voice_was() {
        let voice = Voice::of(20, 0.85, 30.0);
        let noise = Voice::of(20, 0.6, 30.0);
        let faint = Voice::of(20, 0.85, 8.0);
        let click = Voice::of(4, 0.85, 30.0);
        let music = Voice::of(200, 0.85, 30.0);
        for (voice, first, second, expected) in [
            (voice, ("Okay.", -0.6), None, "Okay."),
            (noise, ("Okay.", -0.6), None, "<phrase>"),
            (faint, ("Okay.", -0.6), None, "<phrase>"),
            (click, ("Okay.", -0.6), None, "<phrase>"),
            (music, ("Okay.", -0.6), None, "<phrase>"),
            (voice, ("Okay", -1.5), Some(("Okay.", -1.4)), "Okay."),
            (voice, ("NOO!", -1.5), Some(("No.", -0.9)), "No."),
            (voice, ("NOO!", -1.5), Some(("No.", -1.2)), "<unsure>"),
            (music, ("Okay", -1.5), Some(("Okay.", -1.4)), "<unsure>"),
            (voice, ("[BANG]", -1.5), Some(("", 0.0)), "<sounds>"),
            (voice, ("You", -0.6), None, "<phrase>"),
            (voice, ("Pavello", -1.5), Some(("The Hero.", -1.5)), "<unsure>"),
        ] {
            let mut heard = heard(first.0, first.1);
            heard.second = second.map(|(text, logprob)| Box::new(self::heard(text, logprob)));
            let said = match Guards::default().check_said(heard, voice) {
                Ok(heard) => heard.text(),
                Err(rejected) => format!("<{}>", rejected.as_str()),
            };
            assert_eq!(said, expected, "{first:?} {second:?} {voice:?}");
        }
    }

    #[test]
    fn guards_keep_speech_and_drop_inventions() {
        for (text, logprob, expected) in [
            ("Great. Thanks for your help.", -0.3, "Great. Thanks for your help."),
            ("Okay.", -0.2, "Okay."),
            ("Thank you.", -0.6, "<phrase>"),
            ("I'm going to go and see", -1.1, "<unsure>"),
            ("[Music]", -0.1, "<sounds>"),
            ("(phone ringing) Hello?", -0.3, "Hello?"),
            ("", 0.0, "<empty>"),
            ("no, no, no", -0.2, "no, no, no"),
            ("I think I think I think I think I think so", -0.4, "I think so"),
            ("0 0 0 0 0 7", -0.2, "0 0 0 0 0 7"),
            ("two, two, two, two, oh five", -0.2, "two, two, two, two, oh five"),
        ] {
            assert_eq!(check(text, logprob), expected, "{text}");
        }
    }
}
