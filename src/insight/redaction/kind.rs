//! What kinds of secrets there are, and which of them a service masks.

use std::sync::atomic::{AtomicU32, Ordering};

/// A kind of secret. Its name stands in placeholders (`[iban-1]`) and in `[redaction] mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Secret {
    Card,
    SecurityCode,
    Iban,
    BankAccount,
    NationalId,
    DrivingLicence,
    Password,
    OneTimeCode,
    BirthDate,
    Credentials,
    Email,
    Phone,
    IpAddress,
    Url,
    Person,
    Organisation,
    Address,
    Place,
    Nationality,
    Date,
    Age,
    Title,
}

impl Secret {
    pub const ALL: [Self; 22] = [
        Self::Card,
        Self::SecurityCode,
        Self::Iban,
        Self::BankAccount,
        Self::NationalId,
        Self::DrivingLicence,
        Self::Password,
        Self::OneTimeCode,
        Self::BirthDate,
        Self::Credentials,
        Self::Email,
        Self::Phone,
        Self::IpAddress,
        Self::Url,
        Self::Person,
        Self::Organisation,
        Self::Address,
        Self::Place,
        Self::Nationality,
        Self::Date,
        Self::Age,
        Self::Title,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::SecurityCode => "security_code",
            Self::Iban => "iban",
            Self::BankAccount => "bank_account",
            Self::NationalId => "national_id",
            Self::DrivingLicence => "driving_licence",
            Self::Password => "password",
            Self::OneTimeCode => "one_time_code",
            Self::BirthDate => "birth_date",
            Self::Credentials => "credentials",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::IpAddress => "ip_address",
            Self::Url => "url",
            Self::Person => "person",
            Self::Organisation => "organisation",
            Self::Address => "address",
            Self::Place => "place",
            Self::Nationality => "nationality",
            Self::Date => "date",
            Self::Age => "age",
            Self::Title => "title",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    pub const NONE: Self = Self(0);
    /// What opens an account or proves who somebody is, and what no other part of the product needs.
    ///
    /// Telephone numbers, e-mail addresses and names are not among them: customers are looked up by them, drafts
    /// of e-mails begin with them, and articles are found by products, places and dates.
    pub const USUAL: Self = Self::of(&[
        Secret::Card,
        Secret::SecurityCode,
        Secret::Iban,
        Secret::BankAccount,
        Secret::NationalId,
        Secret::DrivingLicence,
        Secret::Password,
        Secret::OneTimeCode,
        Secret::BirthDate,
        Secret::Credentials,
    ]);
    pub const EVERY: Self = Self::of(&Secret::ALL);

    pub const fn of(kinds: &[Secret]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < kinds.len() {
            bits |= 1 << kinds[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    pub const fn has(self, kind: Secret) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub const fn without(self, kind: Secret) -> Self {
        Self(self.0 & !(1 << kind as u8))
    }

    pub const fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Secret> {
        Secret::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

/// What this process masks. It is one decision for all that comes in, whichever door it takes, so that a door can't
/// forget it.
static MASKED: AtomicU32 = AtomicU32::new(Kinds::USUAL.0);

/// Decides what this process masks from now on. Cards always are.
pub fn mask(kinds: Kinds) {
    MASKED.store(kinds.0 | Kinds::of(&[Secret::Card]).0, Ordering::Relaxed);
}

/// What this process masks.
pub fn masked() -> Kinds {
    Kinds(MASKED.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_of_their_own() {
        for kind in Secret::ALL {
            assert_eq!(Secret::named(kind.as_str()), Some(kind));
            assert_eq!(Kinds::of(&[kind]).iter().collect::<Vec<_>>(), [kind]);
        }
        assert_eq!(Secret::named("digits"), None);
        assert!(!Kinds::USUAL.has(Secret::Email) && Kinds::EVERY.has(Secret::Email));
    }
}
