mod matrix;
mod slack;
mod teams;
mod words;

use std::time::Duration;

use crate::domain::{ConversationId, DedupeKey, Effect, Redacted, TeamMessage};

const PATIENCE: Duration = Duration::from_secs(5);

/// What a customer may have said to get power over a colleague's chat.
const HOSTILE: &str = "<!channel> <@U012345> [here](https://evil.example) @here @room @everyone \
                       <https://evil.example|bank> <script>alert(1)</script> {{DATE(2026-01-01)}} & \"'";

fn message(room: &str) -> TeamMessage {
    TeamMessage {
        room: room.to_owned(),
        conversation: ConversationId::from("c-1".to_owned()),
        title: Redacted::vouched(format!("Help with a refund {HOSTILE}")),
        paragraphs: vec![
            Redacted::vouched(format!("First.\n{HOSTILE}")),
            Redacted::vouched("Second."),
        ],
        facts: vec![("Customer".to_owned(), Redacted::vouched(HOSTILE))],
        link: Some("https://desk.example.org/c/c-1?a=1&b=2".to_owned()),
    }
}

fn post(room: &str) -> Effect {
    Effect::PostMessage(message(room))
}

fn key(of: &str) -> DedupeKey {
    DedupeKey::of(&[of])
}
