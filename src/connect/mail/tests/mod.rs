mod compose;
mod read;
mod scripted;
mod settings;

use super::address::Sender;
use crate::domain::{MailDraft, Mailbox, Redacted};

fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
    Mailbox { name: name.map(str::to_owned), address: address.to_owned() }
}

fn sender() -> Sender {
    Sender::new(&mailbox(Some("Ada Agent"), "ada@support.example.org")).expect("an address")
}

fn letter() -> MailDraft {
    MailDraft {
        to: vec![mailbox(Some("Zoe"), "zoe@example.org")],
        subject: Redacted::vouched("Your refund"),
        body: Redacted::vouched("Dear Zoe,\nit is done."),
        references: Vec::new(),
        about: None,
    }
}
