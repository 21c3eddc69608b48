//! Who writes and to whom: nothing that could be a second header, a second recipient or another sender.

use lettre::Address;
use lettre::message::Mailbox as Written;

use crate::connect::destination::DeliveryError;
use crate::domain::Mailbox;

/// RFC 5321, section 4.5.3.1.3.
const ADDRESS_MAX_BYTES: usize = 254;
const NAME_MAX_CHARS: usize = 120;
const LINE_MAX_CHARS: usize = 250;

/// The one sender of a mailbox.
#[derive(Clone, Debug)]
pub(super) struct Sender(Written);

impl Sender {
    /// # Errors
    /// The address is none.
    pub fn new(from: &Mailbox) -> Result<Self, String> {
        written(from).map(Self).map_err(|problem| format!("from: {problem}"))
    }

    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }

    pub fn written(&self) -> Written {
        self.0.clone()
    }

    pub fn is(&self, address: &str) -> bool {
        self.0.email.to_string().eq_ignore_ascii_case(address)
    }

    /// `bc-KEY@DOMAIN`, without brackets.
    ///
    /// # Errors
    /// `Refused` when the key isn't one of ours.
    pub fn message_id(&self, key: &str) -> Result<String, DeliveryError> {
        let is_plain =
            (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_plain {
            return Err(DeliveryError::Refused("the key is not made of letters and digits".into()));
        }
        Ok(format!("bc-{key}@{}", self.domain()))
    }
}

/// # Errors
/// What is wrong, without the address.
pub(in crate::connect) fn written(mailbox: &Mailbox) -> Result<Written, String> {
    let name = mailbox.name.as_deref().map(|name| line(name, NAME_MAX_CHARS));
    Ok(Written::new(name.filter(|name| !name.is_empty()), address(&mailbox.address)?))
}

/// Addresses as people have them: no quoted part, no comment, no address of a machine, no second one. Letters beyond
/// ASCII would need SMTPUTF8 on every server on the way.
fn address(text: &str) -> Result<Address, String> {
    let text = text.trim();
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.@".contains(&byte);
    if text.len() > ADDRESS_MAX_BYTES || !text.bytes().all(is_plain) {
        return Err("an address is not of the form name@host in plain letters".to_owned());
    }
    text.parse().map_err(|_| "an address is not of the form name@host".to_owned())
}

/// One line out of any text: no control characters, no invisible reordering, single spaces.
pub(in crate::connect) fn line(text: &str, max_chars: usize) -> String {
    // Direction marks let a name read as another one.
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let cleared: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = cleared.split_whitespace().collect();
    words.join(" ").chars().take(max_chars).collect()
}

pub(super) fn subject(text: &str) -> String {
    line(text, LINE_MAX_CHARS)
}

/// A message's identifier without brackets, where it can stand in a header of ours.
pub(super) fn message_id(text: &str) -> Option<&str> {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;".contains(&byte));
    (is_plain && text.contains('@') && (3..=LINE_MAX_CHARS).contains(&text.len())).then_some(text)
}
