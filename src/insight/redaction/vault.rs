//! What placeholders stand for, sealed for whoever has the private key.
//!
//! The service has the public one and can't open what it sealed. HPKE (RFC 9180) in base mode, with
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, as rustls has it for its own use.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE;
use tokio_rustls::rustls::crypto::hpke::{
    EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey,
};

use super::Masker;
use super::card;
use super::digits::runs;
use super::kind::Secret;
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

/// What may be sealed of a secret. What only proves who somebody is may be kept by nobody, however it is encrypted (PCI
/// DSS 4.0, requirement 3.3.1, for security codes), and of a card the number alone, without the date and code behind it.
pub(super) fn may_be_kept(kind: Secret, raw: &str) -> Option<String> {
    match kind {
        Secret::SecurityCode | Secret::OneTimeCode | Secret::Password | Secret::Credentials => None,
        Secret::Card => {
            let read = runs(raw.split_whitespace()).into_iter().map(|run| run.digits);
            card::number_in(&read.collect::<String>()).map(str::to_owned)
        }
        _ => Some(raw.to_owned()),
    }
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
        let fresh = std::mem::take(&mut self.ledger.fresh);
        let key = self.vault.as_ref()?;
        if fresh.is_empty() { None } else { key.seal(turn_id, &fresh) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::insight::redaction::Kinds;
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
        let mut masker = Masker::of(Kinds::USUAL).with_vault(Some(key));
        let turn = |(at, text): (usize, &&str)| {
            let id = TurnId::from(format!("t-{at}"));
            let party = "p-1".into();
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
                &["my card is 4539 1488 0343 6467 12 27 123"],
                &["my card is 4539 1488", "0343 6467", "12 27", "the security code is 123"],
                &["4539", "1488", "0343", "6467"],
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
