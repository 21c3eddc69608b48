//! Real models on real and recorded audio, through the session and without a clock: what is heard,
//! not when. The times are measured by `cargo bench --bench live_calls`.

use std::path::{Path, PathBuf};

use backchannel::domain::{EndReason, EventBody, Party, PartyId, Role, Turn};
use backchannel::evaluate::stretches::{loud_stretches, with_turns};
use backchannel::evaluate::wer::{WordErrors, digits_of};
use backchannel::flow::audio::{AudioFile, Codec};
use backchannel::flow::session::{Output, Session, SessionLeg, SessionSettings};
use backchannel::flow::transcript::Purpose;
use backchannel::models::{Ears, Engine, SpeechModel, Urgency, installed};
use serde_json::Value;

use crate::line_sounds;

fn ears() -> Ears {
    let model = |name: &str| {
        let installed = installed(name).expect("`make models` pulls it");
        let file = installed.file("model.bin").expect("it has one");
        SpeechModel::load(Engine::Auto, file).expect("it loads")
    };
    Ears {
        finals: model("whisper-base").transcriber().expect("a state"),
        partials: model("whisper-tiny.en").transcriber().expect("a state"),
    }
}

/// What a call became.
#[derive(Default)]
struct Heard {
    turns: Vec<Turn>,
    /// Everything that left the session, as text.
    written: String,
}

/// Plays channels of s16 audio through a session whose decodings are done at once.
fn play(ears: &mut Ears, legs: &[(Role, &[i16])], sample_rate_hz: u32) -> Heard {
    let session_legs = legs
        .iter()
        .enumerate()
        .map(|(number, (role, _))| SessionLeg {
            party: Party { id: PartyId::from(format!("p-{number}")), role: *role, name: None },
            codec: Codec::PcmS16Le,
            sample_rate_hz,
        })
        .collect();
    let mut session =
        Session::new(session_legs, &SessionSettings::default()).expect("the rate is supported");
    let mut heard = Heard::default();
    let frame = sample_rate_hz as usize / 50;
    let frames = legs.iter().map(|(_, samples)| samples.len().div_ceil(frame)).max().unwrap_or(0);
    for number in 0..frames {
        for (leg, (_, samples)) in legs.iter().enumerate() {
            let from = (number * frame).min(samples.len());
            let upto = (from + frame).min(samples.len());
            let bytes: Vec<u8> = samples[from..upto].iter().flat_map(|s| s.to_le_bytes()).collect();
            session.audio(leg, None, 0, &bytes).expect("it resamples");
            obey(&mut session, ears, &mut heard);
        }
    }
    session.close(EndReason::Hangup);
    obey(&mut session, ears, &mut heard);
    assert!(session.is_finished(), "every decoding was answered");
    heard
}

fn obey(session: &mut Session, ears: &mut Ears, heard: &mut Heard) {
    while let Some(output) = session.poll_output() {
        match output {
            Output::Decode { leg, ticket, purpose, samples } => {
                // Partials are the live bench's: they cost half the time and decide nothing.
                let answer = match purpose {
                    Purpose::Partial => None,
                    Purpose::Final | Purpose::Early => Some(
                        ears.listen(Urgency::Final, &samples, &session.hints(leg))
                            .expect("it decodes"),
                    ),
                };
                session.decoded(leg, ticket, answer);
            }
            Output::Event(EventBody::TurnFinal(turn)) => {
                heard.written.push_str(turn.text.as_str());
                heard.written.push('\n');
                heard.turns.push(turn);
            }
            Output::Partial(partial) => {
                heard.written.push_str(partial.text.as_str());
                heard.written.push('\n');
            }
            Output::Search(query) => session.found(&query, None, 0),
            Output::Event(_)
            | Output::Promote { .. }
            | Output::Cancel { .. }
            | Output::Renew { .. }
            | Output::Onset { .. }
            | Output::Flushed
            | Output::Rejected(_) => {}
        }
    }
}

fn s16(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * 32_767.0) as i16).collect()
}

fn text_of(turns: &[Turn], role: Role) -> String {
    let mut turns: Vec<&Turn> = turns.iter().filter(|turn| turn.party.role == role).collect();
    turns.sort_by_key(|turn| turn.start_ms);
    turns.iter().map(|turn| turn.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_demo_calls_are_understood_and_their_card_number_is_not_written_down() {
    let mut ears = ears();
    let mut errors = WordErrors::default();
    for name in ["billing-double-charge", "moving-home", "outage-cancel-threat"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
        let file = AudioFile::open(&folder.join(format!("{name}.wav"))).expect("a recording");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("its words");
        let reference: Value = serde_json::from_str(&text).expect("JSON");
        let channels: Vec<Vec<i16>> = file.channels.iter().map(|channel| s16(channel)).collect();
        let legs = [(Role::Customer, channels[0].as_slice()), (Role::Agent, &channels[1])];
        let heard = play(&mut ears, &legs, file.sample_rate_hz);

        let turns = reference["turns"].as_array().expect("turns");
        for (role, speaker) in [(Role::Customer, "customer"), (Role::Agent, "agent")] {
            let said: Vec<&str> = turns
                .iter()
                .filter(|turn| turn["speaker"] == speaker)
                .filter_map(|turn| {
                    turn.get("text_without_secrets").unwrap_or(&turn["text"]).as_str()
                })
                .collect();
            errors += WordErrors::between(&said.join(" "), &text_of(&heard.turns, role));
        }
        for turn in turns {
            let (from, to) = (turn["start_ms"].as_u64(), turn["end_ms"].as_u64());
            let span = from.expect("a time").saturating_sub(300)..=to.expect("a time") + 300;
            let found = heard.turns.iter().any(|heard| {
                turn["speaker"] == heard.party.role.as_str()
                    && span.contains(&u64::midpoint(heard.start_ms, heard.end_ms))
            });
            assert!(found, "{name}: nothing was heard of the turn at {span:?} ms");
        }
        for secret in reference["secrets"].as_array().into_iter().flatten() {
            let secret = secret.as_str().expect("digits");
            for line in heard.written.lines() {
                assert!(!digits_of(line).contains(&secret[..8]), "{name}: a card number is shown");
            }
        }
    }
    println!("word error rate {:.3} of {} words", errors.rate(), errors.words);
    assert!(errors.rate() <= 0.08, "word error rate {:.3}", errors.rate());
}

#[test]
fn ten_minutes_of_tones_music_hum_and_silence_become_no_turns() {
    let mut ears = ears();
    let mut samples = 0;
    let mut turns = Vec::new();
    for (name, audio) in line_sounds::all() {
        let heard = play(&mut ears, &[(Role::Customer, &audio)], 8_000);
        turns.extend(heard.turns.iter().map(|turn| format!("{name}: {}", turn.text.as_str())));
        samples += audio.len();
    }
    assert!(turns.is_empty(), "turns where nobody spoke: {turns:#?}");
    assert!(samples >= 600 * 8_000, "{} s", samples / 8_000);
}

/// Real recordings that lie beside the project where it is developed; not part of it.
fn telephone_calls() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/telephone-calls");
    folder.is_dir().then_some(folder)
}

#[test]
fn real_recordings_give_their_keywords_and_no_turns_in_their_silences() {
    let Some(folder) = telephone_calls() else {
        println!("no telephone recordings beside the project: nothing to measure");
        return;
    };
    let mut ears = ears();
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).expect("a manifest");
    let (mut wanted, mut missing) = (0, Vec::new());
    for line in manifest.lines() {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let name = entry["id"].as_str().expect("an id");
        let keywords = entry["keywords"].as_array();
        let agent_side = name.starts_with("aws-agent-side");
        if keywords.is_none() && !agent_side {
            continue;
        }
        let file = AudioFile::open(&folder.join(entry["file"].as_str().expect("a file")))
            .expect("a recording");
        let audio = s16(&file.channels[0]);
        let heard = play(&mut ears, &[(Role::Mixed, &audio)], file.sample_rate_hz);
        let said = heard.written.to_lowercase().replace("$20,000", "twenty thousand dollars");
        for keyword in keywords.into_iter().flatten().filter_map(Value::as_str) {
            wanted += 1;
            if !said.contains(&keyword.to_lowercase()) {
                missing.push(format!("{name}: \"{keyword}\" in: {said}"));
            }
        }
        for turn in &heard.turns {
            assert!(
                !is_quiet(&file.channels[0], file.sample_rate_hz, turn.start_ms, turn.end_ms),
                "{name}: a turn was invented at {} ms: {}",
                turn.start_ms,
                turn.text.as_str()
            );
        }
    }
    assert!(missing.is_empty(), "keywords that weren't heard: {missing:#?}");
    assert_eq!(wanted, 10);
}

/// The turn lies in a stretch of over 3 s in which no tenth of a second is louder than -45 dBFS.
fn is_quiet(samples: &[f32], sample_rate_hz: u32, start_ms: u64, end_ms: u64) -> bool {
    let block = sample_rate_hz as usize / 10;
    let loud = |block_number: u64| {
        let from = (block_number as usize * block).min(samples.len());
        let upto = (from + block).min(samples.len());
        let power = samples[from..upto].iter().map(|s| s * s).sum::<f32>() / block as f32;
        10.0 * power.max(1e-10).log10() > -45.0
    };
    let (mut from, mut upto) = (start_ms / 100, end_ms / 100 + 1);
    if (from..upto).any(loud) {
        return false;
    }
    let last = samples.len() as u64 / block as u64;
    while from > 0 && !loud(from - 1) {
        from -= 1;
    }
    while upto < last && !loud(upto) {
        upto += 1;
    }
    upto - from > 30
}

#[test]
fn a_real_call_of_two_channels_has_a_turn_for_every_stretch_of_speech() {
    let Some(folder) = telephone_calls() else {
        println!("no telephone recordings beside the project: nothing to measure");
        return;
    };
    let file = AudioFile::open(&folder.join("audio/aws-autorepairs-40.wav")).expect("a recording");
    let channels: Vec<Vec<i16>> = file.channels.iter().map(|channel| s16(channel)).collect();
    let legs = [(Role::Agent, &channels[0][..]), (Role::Customer, &channels[1][..])];
    let heard = play(&mut ears(), &legs, file.sample_rate_hz);
    let (mut stretches, mut turns) = (Vec::new(), Vec::new());
    for (channel, (role, _)) in legs.iter().enumerate() {
        let samples = &file.channels[channel];
        stretches.extend(loud_stretches(role.as_str(), samples, file.sample_rate_hz));
        let mine: Vec<&Turn> = heard.turns.iter().filter(|t| t.party.role == *role).collect();
        assert!(mine.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms), "in order");
        turns.extend(mine.iter().map(|turn| (role.as_str(), turn.start_ms, turn.end_ms)));
    }
    let share = with_turns(&stretches, &turns);
    println!("{} of {} loud stretches have turns", share.good, share.all);
    assert_eq!((share.good, share.all), (38, 38));
}
