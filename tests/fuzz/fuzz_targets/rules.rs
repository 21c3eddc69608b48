//! The rules of `Output`, for the targets that drive a media protocol.

use std::time::Duration;

use backchannel::connect::telephony::{MediaProtocol, Output, Rejection};
use backchannel::domain::{EndReason, Party, Redacted, Role, Turn, Word};
use backchannel::flow::driver::{Control, LEGS_MAX, News};

/// Between two messages of the input; so seeds are readable text.
pub const SEPARATOR: u8 = 0x1E;

/// Reads the input as messages. The first byte of each says what it is and how much time has passed.
pub fn drive(protocol: &mut dyn MediaProtocol, input: &[u8], start: &str) {
    let (mut legs, mut over, mut now) = (None, false, Duration::ZERO);
    for message in input.split(|byte| *byte == SEPARATOR) {
        let Some((kind, message)) = message.split_first() else { continue };
        now += Duration::from_secs(u64::from(kind / 16));
        let text = String::from_utf8_lossy(message);
        match kind % 16 {
            0 => protocol.handle_text(now, start),
            1 => protocol.handle_closed(),
            2 => protocol.handle_timeout(now),
            3 | 4 => protocol.handle_binary(now, message.to_vec().into()),
            8 if legs.is_some() && !over => protocol.handle_news(&turn(&text)),
            9 if legs.is_some() && !over => {
                protocol.handle_news(&News::Flushed { turns: message.len() % 4 });
            }
            10 => protocol.handle_goodbye(),
            11 => {
                protocol.handle_farewell(now, &Rejection::shutting_down());
            }
            _ => protocol.handle_text(now, &text),
        }
        assert!(protocol.deadline() < Duration::MAX);
        while let Some(output) = protocol.poll_output() {
            match output {
                Output::Send(_) => continue,
                _ => assert!(!over, "an output after the end"),
            }
            match output {
                Output::Start(opening) => {
                    assert!(legs.replace(opening.legs.len()).is_none(), "a second start");
                    assert!(opening.attributes.len() <= 100);
                    protocol.handle_opened(&"c-1".into());
                }
                Output::Control(control) => {
                    let legs = legs.as_mut().expect("a control before the start");
                    *legs += usize::from(matches!(control, Control::Join(_)));
                    if let Control::Transfer { leg, .. } = control {
                        assert!(leg < *legs, "nobody is on it");
                    }
                    assert!(*legs <= LEGS_MAX);
                }
                Output::Audio { leg, .. } => assert!(legs.is_some_and(|legs| leg < legs)),
                Output::Send(_) => {}
                Output::Stop(reason) => {
                    over = true;
                    if legs.is_some() && reason != EndReason::Disconnected {
                        protocol.handle_finished(1);
                    }
                }
                Output::Reject(_) => over = true,
            }
        }
    }
}

fn turn(said: &str) -> News {
    let party = Party { id: "p-1".into(), role: Role::Customer, name: None };
    let (start_ms, end_ms) = (100, 100 + said.len() as u64);
    let words = said
        .split_whitespace()
        .map(|word| Word { text: Redacted::vouched(word), start_ms, end_ms, confidence: 0.5 })
        .collect();
    News::Turn(Turn {
        id: "t-1".into(),
        party,
        start_ms,
        end_ms,
        text: Redacted::vouched(said),
        words,
        mean_logprob: None,
        display_text: None,
        language: "en".to_owned(),
    })
}
