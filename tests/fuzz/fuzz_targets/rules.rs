//! The rules of `Output`, for the targets that drive a media protocol.

use std::time::Duration;

use backchannel::connect::telephony::{MediaProtocol, Output};
use backchannel::flow::driver::{Control, LEGS_MAX};

/// Reads the input as messages: one byte for the kind, one for the length in units of 4 bytes.
pub fn drive(protocol: &mut dyn MediaProtocol, mut input: &[u8], start: &str) {
    let (mut legs, mut over, mut now) = (None, false, Duration::ZERO);
    while let [kind, length, rest @ ..] = input {
        let (message, behind) = rest.split_at(rest.len().min(usize::from(*length) * 4));
        input = behind;
        now += Duration::from_secs(u64::from(kind / 16));
        match kind % 8 {
            0 => protocol.handle_text(now, start),
            1 => protocol.handle_closed(),
            2 => protocol.handle_timeout(now),
            3 | 4 => protocol.handle_binary(now, message.to_vec().into()),
            _ => protocol.handle_text(now, &String::from_utf8_lossy(message)),
        }
        while let Some(output) = protocol.poll_output() {
            assert!(!over, "an output after the end");
            match output {
                Output::Start(opening) => {
                    assert!(legs.replace(opening.legs.len()).is_none(), "a second start");
                    protocol.handle_opened(&"c-1".into());
                }
                Output::Control(control) => {
                    let legs = legs.as_mut().expect("a control before the start");
                    *legs += usize::from(matches!(control, Control::Join(_)));
                    assert!(*legs <= LEGS_MAX);
                }
                Output::Audio { leg, .. } => assert!(legs.is_some_and(|legs| leg < legs)),
                Output::Control(_) => assert!(legs.is_some()),
                Output::Send(_) => {}
                Output::Stop(_) | Output::Reject(_) => over = true,
            }
        }
    }
}
