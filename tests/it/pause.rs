//! What a session asks for, shows and tells around a pause; its decodings are answered by the test.

use std::path::Path;

use backchannel::domain::{Party, Role};
use backchannel::flow::audio::{AudioFile, Codec};
use backchannel::flow::session::{Output, Session, SessionLeg, SessionSettings};
use backchannel::flow::transcript::{Purpose, Ticket};
use backchannel::models::{Heard, HeardWord};

fn hear(session: &mut Session, audio: &[f32], from_ms: usize, to_ms: usize) -> Vec<Output> {
    let mut outputs = Vec::new();
    for frame in audio[8 * from_ms..8 * to_ms].chunks(160) {
        let bytes: Vec<u8> =
            frame.iter().flat_map(|s| ((s * 32_767.0) as i16).to_le_bytes()).collect();
        session.audio(0, None, 0, &bytes).expect("it resamples");
        outputs.extend(std::iter::from_fn(|| session.poll_output()));
    }
    outputs
}

fn partial(outputs: &[Output]) -> Option<Ticket> {
    outputs.iter().find_map(|output| match output {
        Output::Decode { ticket, purpose: Purpose::Partial, .. } => Some(*ticket),
        _ => None,
    })
}

#[test]
fn a_partial_that_comes_back_in_a_pause_is_not_shown_and_nothing_is_asked_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let recording = AudioFile::open(&folder.join("billing-double-charge.wav")).expect("a file");
    let customer = &recording.channels[0];
    let party = Party { id: "p-1".into(), role: Role::Customer, name: None };
    let leg = SessionLeg { party, codec: Codec::PcmS16Le, sample_rate_hz: 8_000 };
    let mut session = Session::new(vec![leg], &SessionSettings::default()).expect("a rate");
    let before = hear(&mut session, customer, 5_000, 9_600);
    let on_its_way = partial(&before).expect("somebody speaks for seconds");

    session.pause();
    let at_pause: Vec<Output> = std::iter::from_fn(|| session.poll_output()).collect();
    assert!(at_pause.iter().any(|output| matches!(output, Output::Cancel { .. })), "{at_pause:?}");
    let in_pause = hear(&mut session, customer, 9_600, 24_000);
    assert!(in_pause.is_empty(), "{in_pause:?}");

    let word = HeardWord { text: "late".to_owned(), start_ms: 0, end_ms: 300, confidence: 0.9 };
    let late = Heard { words: vec![word], mean_logprob: -0.2, tokens: 1, ..Heard::default() };
    session.decoded(0, on_its_way, Some(late));
    assert!(session.poll_output().is_none(), "it has come too late");

    session.resume(None).expect("it resamples");
    let after = hear(&mut session, customer, 38_000, 43_000);
    assert!(partial(&after).is_some(), "what is said afterwards is heard");
    for output in after {
        if let Output::Decode { samples, .. } = output {
            // Five seconds were said since; nothing before them may be among what is decoded.
            assert!(samples.len() <= 5 * 16_000, "{} samples", samples.len());
        }
    }
}
