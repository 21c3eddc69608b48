//! What the tests of all protocols share: feeding steps, and the rules of `Output`.

use std::time::Duration;

use super::{MediaProtocol, Output};
use crate::flow::driver::{Control, LEGS_MAX};

pub enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Closed,
    Time(Duration),
}

/// Feeds the steps and answers all outputs.
pub fn seen(
    protocol: &mut dyn MediaProtocol,
    steps: impl IntoIterator<Item = Seen>,
) -> Vec<Output> {
    let mut outputs = Vec::new();
    let mut now = Duration::ZERO;
    for step in steps {
        match step {
            Seen::Text(text) => protocol.handle_text(now, &text),
            Seen::Binary(bytes) => protocol.handle_binary(now, bytes.into()),
            Seen::Closed => protocol.handle_closed(),
            Seen::Time(passed) => {
                now += passed;
                protocol.handle_timeout(now);
            }
        }
        outputs.extend(std::iter::from_fn(|| protocol.poll_output()));
    }
    outputs
}

/// Feeds the steps; panics if the outputs break the rules.
pub fn check_order(protocol: &mut dyn MediaProtocol, steps: impl IntoIterator<Item = Seen>) {
    let (mut legs, mut over) = (None, false);
    for output in seen(protocol, steps) {
        assert!(!over, "{output:?} after the end");
        match output {
            Output::Start(opening) => {
                assert!(legs.replace(opening.legs.len()).is_none(), "a second start");
            }
            Output::Control(control) => {
                let legs = legs.as_mut().expect("a control only after start");
                *legs += usize::from(matches!(control, Control::Join(_)));
                if let Control::Transfer { leg, .. } = control {
                    assert!(leg < *legs, "nobody is on it");
                }
                assert!(*legs <= LEGS_MAX);
            }
            Output::Audio { leg, payload, .. } => {
                assert!(leg < legs.expect("audio only after start"));
                assert!(!payload.is_empty());
            }
            Output::Send(_) => {}
            Output::Stop(_) | Output::Reject(_) => over = true,
        }
    }
}

/// Code and reason, if there was exactly one rejection and it came last.
pub fn rejected(outputs: &[Output]) -> Option<(u16, &str)> {
    match outputs {
        [earlier @ .., Output::Reject(rejection)]
            if !earlier.iter().any(|output| matches!(output, Output::Reject(_))) =>
        {
            Some((rejection.code, &rejection.reason))
        }
        _ => None,
    }
}
