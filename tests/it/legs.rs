//! A leg hears recorded speech; its decodings are answered by the test, in any order or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use backchannel::flow::audio::AudioFile;
use backchannel::flow::transcript::{
    Leg, LegOutput, Purpose, SpokenTurn, Ticket, TranscriptSettings,
};
use backchannel::models::{Heard, HeardWord};
use proptest::prelude::*;

/// The customer of a recorded call, 16 kHz.
static CALLER: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    AudioFile::open(&file).unwrap().channel_16k(0).unwrap()
});

/// What the caller says between these times of the call; hesitations of up to 400 ms included.
const SENTENCES_MS: [(u64, u64); 3] = [(5_800, 13_560), (28_225, 29_700), (38_500, 42_580)];

fn spoken(sentence: usize) -> &'static [f32] {
    let (from, to) = SENTENCES_MS[sentence % SENTENCES_MS.len()];
    &CALLER[from as usize * 16..to as usize * 16]
}

fn heard(text: &str) -> Heard {
    let word = HeardWord { text: text.to_owned(), start_ms: 0, end_ms: 300, confidence: 0.9 };
    Heard { words: vec![word], mean_logprob: -0.2, tokens: 1, ..Heard::default() }
}

/// A leg and the decodings that it waits for.
struct Desk {
    leg: Leg,
    asked: BTreeMap<Ticket, Purpose>,
    ever_asked: BTreeSet<Ticket>,
    turns: Vec<SpokenTurn>,
    undecoded: Vec<(u64, u64)>,
    renewed: Vec<usize>,
    out: Vec<LegOutput>,
}

impl Desk {
    fn new() -> Self {
        // The recorded sentences are short: what commits them is, too.
        Self::with(TranscriptSettings { commit_min_ms: 1_800, ..TranscriptSettings::default() })
    }

    fn with(settings: TranscriptSettings) -> Self {
        Self {
            leg: Leg::new(settings, "t-"),
            asked: BTreeMap::new(),
            ever_asked: BTreeSet::new(),
            turns: Vec::new(),
            undecoded: Vec::new(),
            renewed: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Plays in payloads of 20 ms, so that outputs come when they would.
    fn play(&mut self, samples: &[f32]) {
        for payload in samples.chunks(320) {
            self.leg.audio(payload, &mut self.out);
            self.drain();
        }
    }

    fn silence(&mut self, silence_ms: usize) {
        self.play(&vec![0.0; silence_ms * 16]);
    }

    fn flush(&mut self) {
        self.leg.flush(&mut self.out);
        self.drain();
    }

    fn answer(&mut self, ticket: Ticket, heard: Option<Heard>) {
        self.asked.remove(&ticket);
        self.leg.decoded(ticket, heard, &mut self.out);
        self.drain();
    }

    fn answer_all(&mut self) {
        while let Some(&ticket) = self.asked.keys().next() {
            self.answer(ticket, Some(heard(&format!("word{}", ticket.0))));
        }
    }

    fn drain(&mut self) {
        for output in std::mem::take(&mut self.out) {
            match output {
                LegOutput::Decode { ticket, purpose, samples } => {
                    assert!(self.ever_asked.insert(ticket), "a ticket is used once");
                    assert!(samples.len() < 16 * 15_000, "Whisper takes no more");
                    self.asked.insert(ticket, purpose);
                }
                LegOutput::Promote(ticket) => {
                    let early = self.asked.insert(ticket, Purpose::Final);
                    assert_eq!(early, Some(Purpose::Early), "only a waiting early one is promoted");
                }
                LegOutput::Cancel(ticket) => {
                    // It may have been answered already.
                    if let Some(purpose) = self.asked.remove(&ticket) {
                        assert_ne!(purpose, Purpose::Final, "a final is never cancelled");
                    }
                }
                LegOutput::Turn(turn) => self.turns.push(turn),
                LegOutput::Undecoded { start_ms, lost_ms } => {
                    self.undecoded.push((start_ms, lost_ms));
                }
                LegOutput::Renew { ticket, samples } => {
                    assert_eq!(self.asked.get(&ticket), Some(&Purpose::Partial));
                    assert!(samples.len() < 16 * 15_000, "Whisper takes no more");
                    self.renewed.push(samples.len());
                }
                LegOutput::Partial { .. }
                | LegOutput::Onset { .. }
                | LegOutput::Withdrawn { .. }
                | LegOutput::Rejected(_) => {}
            }
        }
    }

    fn purposes(&self, wanted: Purpose) -> Vec<Ticket> {
        let wanted = self.asked.iter().filter(|(_, purpose)| **purpose == wanted);
        wanted.map(|(ticket, _)| *ticket).collect()
    }
}

#[test]
fn what_is_not_believed_as_a_whole_is_heard_again_in_pieces_and_only_once() {
    let settings = TranscriptSettings { commit_min_ms: 20_000, ..TranscriptSettings::default() };
    let mut desk = Desk::with(settings);
    desk.play(spoken(0));
    desk.silence(600);
    let [whole] = desk.purposes(Purpose::Final)[..] else { panic!("{:?}", desk.asked) };
    let unsure = || Heard { mean_logprob: -1.0, ..heard("noise") };
    desk.answer(whole, Some(unsure()));
    assert!(desk.turns.is_empty(), "it isn't given up yet");
    let pieces = desk.purposes(Purpose::Final);
    assert!(pieces.len() >= 2, "{pieces:?}");
    desk.answer(pieces[1], Some(heard("money")));
    for piece in pieces.iter().filter(|piece| **piece != pieces[1]) {
        desk.answer(*piece, Some(unsure()));
    }
    let [turn] = &desk.turns[..] else { panic!("{:?}", desk.turns) };
    assert_eq!(turn.words.len(), 1);
    assert!(turn.words[0].start_ms >= 1_800, "where it was said: {:?}", turn.words);
    assert!(desk.leg.is_idle() && desk.asked.is_empty(), "not a third time");
}

#[test]
fn a_partial_that_waits_is_renewed_until_it_is_answered() {
    let mut desk = Desk::new();
    desk.play(&spoken(0)[..16 * 3_600]);
    let [partial] = desk.purposes(Purpose::Partial)[..] else { panic!("{:?}", desk.asked) };
    assert!(desk.renewed.len() >= 2, "one is outstanding, and newer audio replaces it");
    assert!(desk.renewed.is_sorted() && desk.renewed[0] > 16 * 1_900, "{:?}", desk.renewed);
    desk.answer(partial, Some(heard("so")));
    let before = desk.renewed.len();
    desk.play(&spoken(0)[16 * 3_600..16 * 5_000]);
    assert_eq!(desk.purposes(Purpose::Partial).len(), 1, "then there is a new one");
    assert_eq!(desk.renewed.len(), before);
}

#[test]
fn an_early_decoding_becomes_the_final_when_nobody_speaks_on() {
    let mut desk = Desk::new();
    desk.play(spoken(1));
    desk.silence(300);
    let early = desk.purposes(Purpose::Early);
    assert_eq!(early.len(), 1, "the decoding begins within the silence");
    assert!(desk.turns.is_empty());
    desk.silence(400);
    assert_eq!(desk.purposes(Purpose::Final), early, "the same decoding, now awaited");
    desk.answer(early[0], Some(heard("name")));
    assert_eq!(desk.turns.len(), 1);
    assert!(desk.leg.is_idle());
}

#[test]
fn speech_after_a_long_beginning_commits_it_and_promotes_its_decoding() {
    let mut desk = Desk::new();
    desk.play(&spoken(2)[..16 * 4_000]);
    desk.silence(300);
    let [first] = desk.purposes(Purpose::Early)[..] else { panic!("{:?}", desk.asked) };
    desk.play(spoken(1));
    assert!(desk.purposes(Purpose::Final).contains(&first), "somebody waits for it now");
    desk.silence(600);
    desk.answer_all();
    assert_eq!(desk.turns.len(), 1, "one turn of two pieces");
    let words: Vec<&str> = desk.turns[0].words.iter().map(|word| word.text.as_str()).collect();
    let at = words.iter().position(|word| *word == format!("word{}", first.0));
    assert!(at.is_some_and(|at| at + 1 < words.len()), "the committed piece, then more: {words:?}");
}

#[test]
fn a_failed_early_decoding_is_asked_for_again() {
    let mut desk = Desk::new();
    desk.play(spoken(1));
    desk.silence(300);
    let [early] = desk.purposes(Purpose::Early)[..] else { panic!("{:?}", desk.asked) };
    desk.answer(early, None);
    desk.silence(300);
    assert_eq!(desk.purposes(Purpose::Final).len(), 1);
    desk.answer_all();
    assert_eq!((desk.turns.len(), desk.undecoded.len()), (1, 0));
}

#[test]
fn a_failed_final_is_a_gap_and_not_forgotten() {
    let mut desk = Desk::new();
    desk.silence(1_000);
    desk.play(spoken(1));
    desk.silence(700);
    let [last] = desk.purposes(Purpose::Final)[..] else { panic!("{:?}", desk.asked) };
    desk.answer(last, None);
    assert!(desk.turns.is_empty());
    let [(start_ms, lost_ms)] = desk.undecoded[..] else { panic!("{:?}", desk.undecoded) };
    assert!((1_000..1_400).contains(&start_ms), "{start_ms}");
    assert!((600..1_500).contains(&lost_ms), "{lost_ms}");
    assert!(desk.leg.is_idle());
}

#[test]
fn time_that_is_skipped_ends_a_turn_and_moves_the_clock() {
    let mut desk = Desk::new();
    desk.play(spoken(1));
    desk.leg.skip(16 * 60_000, &mut desk.out);
    desk.drain();
    let end_ms = desk.leg.now_ms();
    assert_eq!(end_ms, 1_475 + 60_000);
    desk.play(spoken(1));
    desk.silence(700);
    desk.answer_all();
    let [first, second] = &desk.turns[..] else { panic!("{:?}", desk.turns) };
    assert!(first.end_ms <= 1_475 && second.start_ms >= end_ms, "{first:?} {second:?}");
}

#[derive(Clone, Debug)]
enum Step {
    Speak {
        sentence: usize,
        part: f32,
    },
    Silence(usize),
    Skip(u64),
    Flush,
    /// Answers one of the waiting decodings, or fails it.
    Answer {
        which: usize,
        fails: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..3, 0.1f32..1.0).prop_map(|(sentence, part)| Step::Speak { sentence, part }),
        4 => (20usize..900).prop_map(Step::Silence),
        1 => (1u64..1_000_000).prop_map(Step::Skip),
        1 => Just(Step::Flush),
        6 => (0usize..8, prop::bool::weighted(0.2))
            .prop_map(|(which, fails)| Step::Answer { which, fails }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_turns_come_in_order_and_the_leg_comes_to_rest(
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let mut desk = Desk::new();
        for step in steps {
            match step {
                Step::Speak { sentence, part } => {
                    let speech = spoken(sentence);
                    desk.play(&speech[..(speech.len() as f32 * part) as usize]);
                }
                Step::Silence(silence_ms) => desk.silence(silence_ms),
                Step::Skip(samples) => {
                    desk.leg.skip(samples, &mut desk.out);
                    desk.drain();
                }
                Step::Flush => desk.flush(),
                Step::Answer { which, fails } => {
                    let waiting: Vec<Ticket> = desk.asked.keys().copied().collect();
                    if let Some(&ticket) = waiting.get(which % waiting.len().max(1)) {
                        desk.answer(ticket, (!fails).then(|| heard(&format!("w{}", ticket.0))));
                    }
                }
            }
        }
        desk.flush();
        desk.answer_all();
        prop_assert!(desk.leg.is_idle(), "nothing is left open");
        for pair in desk.turns.windows(2) {
            prop_assert!(pair[0].end_ms <= pair[1].start_ms, "{pair:?}");
            prop_assert!(pair[0].turn_id != pair[1].turn_id);
        }
        let mut said = BTreeSet::new();
        for word in desk.turns.iter().flat_map(|turn| &turn.words) {
            prop_assert!(said.insert(word.text.clone()), "{} is told twice", word.text);
        }
    }
}
