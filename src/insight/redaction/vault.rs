//! What placeholders stand for, sealed for whoever has the private key.
//!
//! The service has the public one and can't open what it sealed. HPKE (RFC 9180) in base mode, with
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, as rustls has it for its own use.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use tokio_rustls::rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE;
use tokio_rustls::rustls::crypto::hpke::{
    EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey,
};

use super::digits::runs;
use super::find::Before;
use super::kind::{Kinds, Secret};
use super::{JOINED_MAX_DIGITS, Masker, RawWord, card};
use crate::domain::TurnId;

const KEY_BYTES: usize = 32;
const PUBLIC: &str = "vault-public-1:";
const PRIVATE: &str = "vault-private-1:";
/// Nothing that is sealed for another purpose opens here.
const PURPOSE: &[u8] = b"backchannel vault 1";

/// Seals.
#[derive(Clone, Debug)]
pub struct VaultKey(HpkePublicKey);

/// Opens. It has no business on the machine of the service.
pub struct VaultOpener(HpkePrivateKey);

/// Makes both halves of a key; `None` if the machine has no randomness to give.
pub fn new_vault() -> Option<(VaultKey, VaultOpener)> {
    let (public, private) = SUITE.generate_key_pair().ok()?;
    Some((VaultKey(public), VaultOpener(private)))
}

fn bytes(text: &str, prefix: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text.trim().strip_prefix(prefix)?).ok()?;
    (bytes.len() == KEY_BYTES).then_some(bytes)
}

impl PartialEq for VaultKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0
    }
}

impl VaultKey {
    /// Reads `vault-public-1:` and 32 bytes in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let key = Self(HpkePublicKey(bytes(text, PUBLIC)?));
        // A point of small order has no secret to share.
        key.seal(&TurnId::from(String::new()), &BTreeMap::new()).map(|_| key)
    }

    pub fn to_text(&self) -> String {
        format!("{PUBLIC}{}", STANDARD.encode(&self.0.0))
    }

    /// Base64 of the encapsulated key and the sealed JSON object from placeholders to what they stand for. It opens as that
    /// turn's only.
    fn seal(&self, turn_id: &TurnId, stood_for: &BTreeMap<String, String>) -> Option<String> {
        let text = serde_json::to_vec(stood_for).expect("texts are JSON; this is a bug");
        let about = turn_id.to_string();
        let (secret, sealed) = SUITE.seal(PURPOSE, about.as_bytes(), &text, &self.0).ok()?;
        Some(STANDARD.encode([secret.0, sealed].concat()))
    }
}

impl VaultOpener {
    /// Reads `vault-private-1:` and 32 bytes in base64.
    pub fn parse(text: &str) -> Option<Self> {
        bytes(text, PRIVATE).map(|bytes| Self(bytes.into()))
    }

    pub fn to_text(&self) -> String {
        format!("{PRIVATE}{}", STANDARD.encode(self.0.secret_bytes()))
    }

    /// What a turn's placeholders stand for; `None` if this was sealed for another key or turn, or changed.
    pub fn open(&self, turn_id: &TurnId, sealed: &str) -> Option<BTreeMap<String, String>> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (secret, sealed) = bytes.split_at_checked(KEY_BYTES)?;
        let about = turn_id.to_string();
        let secret = EncapsulatedSecret(secret.to_vec());
        let text = SUITE.open(&secret, PURPOSE, about.as_bytes(), sealed, &self.0).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// Words that say that a code or password is near.
static WARY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:pass ?(?:word|code|phrase|key)|passwor[td]|kennwort|geheim|wachtwoord|contrase|clave|mot de passe|senha|pins?\b|puk|tan\b|cv[vcn]|security (?:code|number)|(?:verification|confirmation|access|log ?in|sms|the|this|that|your|my) codes?\b|on the back|texted|otp|one[ -]time|2fa|token|secret)",
    )
    .expect("a pattern of this file")
});
/// Turns of any party for which a code that was spoken of may come.
const WARY_TURNS: u32 = 4;

/// What may be sealed of a secret. What only proves who somebody is may be kept by nobody, however it is encrypted (PCI
/// DSS 4.0, requirement 3.3.1, for security codes), and stands in no span that may have taken it in.
pub(super) fn kept_of(kind: Secret, raw: &str) -> Option<String> {
    let is_kept = match kind {
        Secret::Card => return number_in(raw),
        // A card's date may be among the dates, and anything in an address.
        Secret::SecurityCode
        | Secret::OneTimeCode
        | Secret::Password
        | Secret::Credentials
        | Secret::Date
        | Secret::Url => false,
        Secret::BankAccount | Secret::NationalId | Secret::DrivingLicence => {
            raw.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
        }
        Secret::Phone => !raw.contains(char::is_alphabetic),
        _ => true,
    };
    is_kept.then(|| raw.to_owned())
}

/// The number of a card that was typed at one go.
fn number_in(raw: &str) -> Option<String> {
    if raw.contains(char::is_alphabetic) {
        return said_number(&raw.split_whitespace().collect::<Vec<_>>());
    }
    let groups = raw.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    card::number_of(&groups.take(JOINED_MAX_DIGITS).collect::<Vec<_>>())
}

/// The number that words say.
fn said_number(words: &[&str]) -> Option<String> {
    let whole = runs(words.iter().copied());
    let [run] = whole.as_slice() else { return None };
    if run.digits.len() > JOINED_MAX_DIGITS || words.len() > 2 * JOINED_MAX_DIGITS {
        return None;
    }
    // Where a word ends, its digits do.
    let end = |count: usize| {
        runs(words[..count].iter().copied()).last().map_or(0, |run| run.digits.len())
    };
    let mut groups = Vec::new();
    let mut from = 0;
    for end in (1..=words.len()).map(end) {
        // A filler, or a word that says no digit yet.
        if let Some(group) = run.digits.get(from..end).filter(|group| !group.is_empty()) {
            groups.push(group);
            from = end;
        }
    }
    // "Oh, it's 4539 …"
    let said = groups.strip_prefix(&["0"]).unwrap_or(&groups);
    card::number_of(said)
}

impl Masker {
    /// Keeps what placeholders stand for until it is sealed.
    #[must_use]
    pub fn with_vault(mut self, key: Option<VaultKey>) -> Self {
        self.ledger.keeps = key.is_some();
        self.vault = key;
        self
    }

    /// Seals what this turn's new placeholders stand for: once for each, since a secret that is said again has the same.
    pub fn seal(&mut self, turn_id: &TurnId) -> Option<String> {
        let key = self.vault.as_ref()?;
        if self.ledger.fresh.is_empty() {
            return None;
        }
        let sealed = key.seal(turn_id, &self.ledger.fresh)?;
        self.ledger.fresh.clear();
        Some(sealed)
    }

    /// Hears whether the next secrets may be codes.
    pub(super) fn be_wary(&mut self, text: &str, before: Before) {
        if !self.ledger.keeps {
            return;
        }
        const CODES: Kinds = Kinds::of(&[Secret::OneTimeCode, Secret::Password]);
        self.ledger.is_asked = before.asked.has_any(CODES);
        self.ledger.wary = match self.ledger.is_asked || WARY.is_match(text) {
            true => WARY_TURNS,
            false => self.ledger.wary.saturating_sub(1),
        };
    }

    /// Takes note of a card's number that is said at one go. Over several turns, what adds up to one may have other numbers in
    /// it, so that is known to nobody.
    pub(super) fn keep_number(&mut self, placeholder: &str, is_at_one_go: bool, words: &[RawWord]) {
        if !self.ledger.wants(placeholder) || self.ledger.is_asked {
            return;
        }
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        if let Some(number) = said_number(&words).filter(|_| is_at_one_go) {
            self.ledger.keep_as(placeholder, Some(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::insight::redaction::tests::words_at;

    fn vault() -> (VaultKey, VaultOpener) {
        new_vault().expect("randomness")
    }

    #[test]
    fn what_is_sealed_opens_with_the_other_half_as_that_turns_only() {
        let (key, opener) = vault();
        let stood_for = BTreeMap::from([("[iban-1]".to_owned(), "DE89 3704 0044".to_owned())]);
        let turn = TurnId::from("t-1".to_owned());
        let sealed = key.seal(&turn, &stood_for).expect("sealed");
        assert!(!sealed.contains("3704"));
        assert_eq!(opener.open(&turn, &sealed), Some(stood_for.clone()));
        assert_eq!(opener.open(&TurnId::from("t-2".to_owned()), &sealed), None);
        assert_eq!(vault().1.open(&turn, &sealed), None);
        let bytes = STANDARD.decode(&sealed).expect("base64");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(opener.open(&turn, &STANDARD.encode(changed)), None, "byte {at}");
        }
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let (key, opener) = vault();
        assert_eq!(VaultKey::parse(&key.to_text()), Some(key.clone()));
        let again = VaultOpener::parse(&format!(" {}\n", opener.to_text())).expect("read");
        assert_eq!(again.to_text(), opener.to_text());
        assert!(VaultKey::parse(&opener.to_text()).is_none(), "the other half");
        assert!(VaultKey::parse("vault-public-1:AAAA").is_none(), "too short");
        let nought = format!("{PUBLIC}{}", STANDARD.encode([0; KEY_BYTES]));
        assert!(VaultKey::parse(&nought).is_none(), "it shares no secret");
    }

    fn opened(turns: &[&str], is_spoken: bool) -> Vec<BTreeMap<String, String>> {
        let (key, opener) = vault();
        let mut masker = Masker::of(Kinds::EVERY).with_vault(Some(key));
        let turn = |(at, text): (usize, &&str)| {
            let id = TurnId::from(format!("t-{at}"));
            let (party, text) = text
                .split_once(": ")
                .filter(|(by, _)| *by == "agent")
                .unwrap_or(("customer", text));
            let party = party.into();
            let words = words_at(text, at as u64 * 3_000);
            match is_spoken {
                true => masker.final_turn(&party, &id, &words),
                false => masker.typed_turn(&party, &id, text),
            };
            let sealed = masker.seal(&id);
            sealed.map_or_else(BTreeMap::new, |sealed| opener.open(&id, &sealed).expect("opens"))
        };
        turns.iter().enumerate().map(turn).collect()
    }

    #[test]
    fn a_card_is_kept_without_its_date_and_code_however_it_came() {
        let kept = |of: &[BTreeMap<String, String>]| -> Vec<String> {
            of.iter().flat_map(|one| one.iter().map(|(k, v)| format!("{k} {v}"))).collect()
        };
        for is_spoken in [true, false] {
            for turns in [
                &["my card is 4539 1488 0343 6467", "again 4539 1488 0343 6467"][..],
                &["my card is 4539148803436467"],
                &["oh it's 4539 1488 0343 6467 12 27 123"],
                &["4539 1488 0343 6467, 12/2027"],
                &["my card is 4539 1488 0343 6467", "12 27", "the security code is 123"],
                &[
                    "four five three nine one four double eight oh three four three six four six seven",
                ],
                &["45 39 14 88 03 43 64 67"],
            ] {
                assert_eq!(
                    kept(&opened(turns, is_spoken)),
                    ["[card-1] 4539148803436467"],
                    "{turns:?}, spoken: {is_spoken}"
                );
            }
        }
    }

    #[test]
    fn what_may_have_a_code_in_it_is_kept_by_nobody() {
        for turns in [
            // Misheard: no number is in it, and the code isn't made into one.
            &["5325 2369 1465 9451 12 27 583"][..],
            &["my card is 5325 2369 1465 9451", "12 27", "583"],
            &["the security code is 408", "510539235703", "7393"],
            &["it expires 04/27, number 4969 5505 3923 5700 1"],
            &["card:4252 3691 3659 4559 12/27 839"],
            &["4 0 8 4 5 3 9 1 4 8 8 0 3 4 3 6 4 6 7"],
            &["My bank account number is 55779911 and the 4321 is my pin"],
            &["bank account number and cvv: 55779911 739"],
            &["my driving licence number is 55779911 and 739 is the security code"],
            &["SSN 219-09-9999 739"],
            &["4539 1488", "0343 6467"],
            &["415 555 0138 482913"],
            &["4155550138 and 482913"],
            &["agent: What's the code we just sent you?", "4539 1488 0343 6467"],
            &["4 5 3 9 1 4 8 8 0 3 4 3 12 27 1 1"],
            &["my password is hunter22@example.com", "agent: hunter22@example.com, is it?"],
            &[
                "my password is hunter22@example.com",
                "agent: thanks",
                "yes",
                "agent: hunter22@example.com, is it?",
            ],
            &["the number you texted me is 48291357"],
            &["three digits on the back: 55779911/739"],
            &["https://shop.example/login?password=hunter22&otp=482913"],
            &["my password is ann@example.com"],
            &["agent: what is your password?", "ann@example.com"],
        ] {
            for is_spoken in [true, false] {
                let kept = opened(turns, is_spoken);
                let kept: Vec<_> = kept.iter().flat_map(|one| one.iter()).collect();
                assert!(kept.is_empty(), "{turns:?}, spoken: {is_spoken}: {kept:?}");
            }
        }
    }

    #[test]
    fn what_stands_behind_a_number_is_no_part_of_it() {
        let kept = opened(&["+44 20 7946 0958 no wait 482913"], true);
        assert_eq!(kept[0], BTreeMap::from([("[phone-1]".into(), "+44 20 7946 0958".into())]));
    }

    #[test]
    fn a_long_row_of_cards_takes_no_longer_with_a_vault() {
        let (key, _) = vault();
        let text = format!("1111111111111112{}", " x 1111".repeat(3_000));
        let mut masker = Masker::of(Kinds::EVERY).with_vault(Some(key));
        let turn = TurnId::from("t-1".to_owned());
        masker.typed_turn(&"p-1".into(), &turn, &text);
        assert!(masker.ledger.fresh.is_empty());
    }

    #[test]
    fn what_proves_who_somebody_is_is_kept_by_nobody() {
        let kept = opened(
            &[
                "my password is Tr0ub4dor and the code is 482913",
                "my IBAN is DE89 3704 0044 0532 0130 00, cvv: 739",
            ],
            false,
        );
        assert!(kept[0].is_empty(), "{:?}", kept[0]);
        assert_eq!(kept[1].keys().collect::<Vec<_>>(), ["[iban-1]"]);
        assert_eq!(kept[1]["[iban-1]"], "DE89 3704 0044 0532 0130 00");
    }

    #[test]
    fn without_a_key_nothing_is_kept() {
        let mut masker = Masker::of(Kinds::USUAL);
        let turn = TurnId::from("t-1".to_owned());
        masker.typed_turn(&"p-1".into(), &turn, "my IBAN is DE89 3704 0044 0532 0130 00");
        assert!(masker.ledger.fresh.is_empty());
        assert_eq!(masker.seal(&turn), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_opened_or_refused(sealed in "[A-Za-z0-9+/=]{0,120}", key in ".{0,60}") {
            let (_, opener) = vault();
            prop_assert_eq!(opener.open(&TurnId::from("t-1".to_owned()), &sealed), None);
            prop_assert!(VaultKey::parse(&key).is_none() && VaultOpener::parse(&key).is_none());
        }
    }
}
