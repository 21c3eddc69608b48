//! How well altered sentences are told from true ones.

mod alter;
mod chance;
mod data;
mod invent;
mod make;
mod report;
mod retell;
mod vectors;

use std::time::Instant;

pub use data::{Content, Dataset, DatasetError, Dialogue, Item};
pub use invent::inventions;
pub use make::{Half, Maker, quota};
pub use report::{KindCount, Mix, Prediction, Report};

use self::vectors::Embedded;

use crate::grounding::{Claim, Ground, Refusal, Verifier, claims};
use crate::models::embedder::{EmbedderError, EmbedderHandle};

/// Judges each item by itself; `is_strict` as letters, cards and answers are.
///
/// # Errors
/// The embedding model, where there is one, failed.
pub fn judge(
    dialogues: &[Dialogue],
    items: &[Item],
    embedder: Option<&EmbedderHandle>,
    is_strict: bool,
) -> Result<(Vec<Prediction>, Report), EmbedderError> {
    let verifier = Verifier;
    let mut report = Report::default();
    let mut predictions = Vec::with_capacity(items.len());
    let mut ground: Option<(usize, Ground)> = None;
    for item in items {
        if ground.as_ref().is_none_or(|(dialogue, _)| *dialogue != item.dialogue) {
            let begun = Instant::now();
            let read = Ground::of(&dialogues[item.dialogue].material);
            let read = if is_strict { read.strictly() } else { read };
            ground = Some((item.dialogue, read));
            report.grounds += 1;
            report.ground_seconds += begun.elapsed().as_secs_f64();
            if let Some(embedder) = embedder {
                let vectors = Embedded::of(&dialogues[item.dialogue].material, embedder)?;
                let read = ground.take().map(|(at, read)| (at, read.with_vectors(vectors)));
                ground = read;
            }
        }
        let Some((_, ground)) = &ground else { continue };
        let claim = Claim::new(data::written(&item.sentence), item.cites.iter().cloned());
        let begun = Instant::now();
        let verdict = verifier.check(&claim, ground);
        report.check_seconds += begun.elapsed().as_secs_f64();
        let prediction = Prediction::of(item, &dialogues[item.dialogue].id, verdict);
        report.add(&prediction);
        predictions.push(prediction);
    }
    Ok((predictions, report))
}

/// A scripted writer: seven true sentences and three altered ones about each conversation, in one text.
pub fn mix(maker: &mut Maker, dialogues: &[Dialogue], which: &[usize], seed: u64) -> Mix {
    let verifier = Verifier;
    let mut mix = Mix::default();
    for &index in which {
        let mut items = maker.items(index, 7, 3);
        let supported = items.iter().filter(|item| item.supported).count();
        // Conversations with less to say keep the proportion.
        let altered = (supported * 3 / 7).max(1);
        let mut kept = 0;
        items.retain(|item| {
            kept += usize::from(!item.supported);
            item.supported || kept <= altered
        });
        if supported == 0 {
            continue;
        }
        chance::Chance::new(seed, &format!("mix {}", dialogues[index].id)).shuffle(&mut items);
        let written: Vec<String> = items
            .iter()
            .map(|item| {
                let marks: String = item.cites.iter().map(|id| format!(" [{id}]")).collect();
                format!("{}{marks}.", item.sentence.trim_end_matches('.'))
            })
            .collect();
        let ground = Ground::of(&dialogues[index].material);
        let text = data::written(&written.join(" "));
        let sentences = claims(&text, &|id| ground.knows(id));
        let struck = match verifier.verify_claims(&sentences, &ground) {
            Ok(text) => text.struck,
            Err(Refusal::NothingProven { struck }) => struck,
            Err(_) => continue,
        };
        mix.dialogues += 1;
        for item in &items {
            let written = letters(&item.sentence);
            let shown = !struck.iter().any(|one| letters(one.text.as_str()).contains(&written));
            match item.supported {
                true => {
                    mix.supported += 1;
                    mix.supported_shown += usize::from(shown);
                }
                false => {
                    mix.altered += 1;
                    mix.altered_shown += usize::from(shown);
                }
            }
        }
    }
    mix
}

/// The text without what is tidied when it is cut into sentences: "welcome , have" is shown as "welcome, have".
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_hand() -> (Vec<Dialogue>, Vec<Item>) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/grounding");
        match Dataset::open(folder.as_ref()).expect("the set is there").content {
            Content::Items(dialogues, items) => (dialogues, items),
            Content::Dialogues(_) => panic!("the set has sentences"),
        }
    }

    #[test]
    fn sentences_written_by_hand_are_judged_as_well_as_before() {
        let (dialogues, items) = by_hand();
        let (predictions, report) =
            judge(&dialogues, &items, None, false).expect("no model is asked");
        assert_eq!(predictions.len(), items.len());
        assert!(report.altered.of >= 36 && report.supported.of >= 24, "{report:?}");
        let wrong: Vec<_> = predictions
            .iter()
            .filter(|one| one.kept != one.supported)
            .map(|one| &one.sentence)
            .collect();
        assert!(report.altered.share() >= 0.89 && report.supported.share() >= 0.95, "{wrong:#?}");
    }

    /// Written after others had read the verifier and looked for what passes.
    #[test]
    fn short_inventions_are_judged_as_well_as_before() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/grounding/reviewed");
        let set = Dataset::open(folder.as_ref()).expect("the set is there").content;
        let Content::Items(dialogues, items) = set else { panic!("the set has sentences") };
        let (predictions, _) = judge(&dialogues, &items, None, true).expect("no model is asked");
        let wrong: Vec<_> = predictions
            .iter()
            .filter(|one| one.kept != one.supported)
            .map(|one| (&one.id, &one.sentence, &one.why))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn short_inventions_are_said_by_nobody_and_the_same_each_time() {
        let (dialogues, _) = by_hand();
        let make = |seed| -> Vec<String> {
            let all = dialogues.iter().enumerate();
            let made = all.flat_map(|(at, one)| inventions(one, at, 3, seed));
            made.map(|item| item.sentence).collect()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!(make(1).len() > dialogues.len());
    }

    #[test]
    fn the_same_seed_makes_the_same_sentences() {
        let (dialogues, _) = by_hand();
        let make = |seed| {
            let mut maker = Maker::new(&dialogues, seed);
            let all = maker.half(Half::All);
            let items: Vec<Item> = all.iter().flat_map(|at| maker.items(*at, 3, 3)).collect();
            items
                .into_iter()
                .map(|item| (item.sentence, item.supported, item.kind))
                .collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!(make(1).iter().any(|(_, supported, _)| !supported));
    }

    #[test]
    fn no_conversation_is_in_both_halves() {
        let (dialogues, _) = by_hand();
        let maker = Maker::new(&dialogues, 1);
        let (development, test) = (maker.half(Half::Development), maker.half(Half::Test));
        assert!(development.iter().all(|at| !test.contains(at)));
        assert_eq!(development.len() + test.len(), dialogues.len());
    }
}
