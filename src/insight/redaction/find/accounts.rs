//! Whose account is spoken of: a bank's, which is a secret, or the company's own number for its customer.

use std::sync::LazyLock;

use regex::Regex;

use super::cues::regex;

/// Banks, and money on its way to somebody: an account is a bank's then.
static BANK: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:bank\w*|(?:checking|savings?|current) accounts?|building society|isa|mortgage|overdra\w+|sort ?codes?|routing (?:number|no)|iban|bic|swift code|sepa|bacs|ach|wire (?:transfer|it|the money)|wired|direct debits?|standing orders?|refund\w*|reimburs\w*|compensat\w*|payouts?|payee|payroll|wages?|salary|deposits?|withdraw\w*|winnings|money|funds|e-?checks?|che(?:que|ck)s? (?:number|over|by)|(?:by|a|the|with) (?:paper )?che(?:que|ck)|cash(?:ed|ing)? (?:it )?out|scam\w*|account holder\w*|(?:pay(?:ing|s)?|paid) (?:it|that|this|me|you|them|him|her|into|out|to|back|in|by)|transfer (?:it|some|the)|(?:make|made) a transfer|kontonummer|sparkasse|volksbank|geld|lastschrift|\w*überweis\w*|\w*erstatt\w*|\w*auszahl\w*)\b",
    )
});
/// What somebody saw there, or a day on which it is taken, brings no number.
static SEEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:look\w*|check\w*|saw|see|seen|seeing|notic\w+)(?: \w+){0,2} (?:my|the) (?:online )?(?:bank(?: (?:accounts?|statements?|app))?|(?:checking|savings|current) accounts?)\b|\b(?:my|the) bank(?: (?:account|statement|app))? (?:shows?|says|showed|said)\b|\bdirect debit date\b",
    )
});
/// Of a question for an account's number: money is to go there.
static TO_IT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:pay\w*|paid|sen[dt]|credit\w*|go(?:es)? in(?:to)?|put \w+ in(?:to)?|back in(?:to)?|transfer\w*|debit\w*)\b",
    )
});
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:customer account|account (?:number |no )?(?:that you have |you have )?with us|account (?:number|no),? (?:that is |that['’]s |which is |is )?(?:printed |shown |written )?(?:on|from|at the top of) (?:your|the|a|our) (?:\w+ )?(?:bill|invoice|letter))\b",
    )
});

pub(super) fn speaks_of_bank(text: &str) -> bool {
    BANK.is_match(text) && BANK.is_match(&SEEN.replace_all(text, " "))
}

/// Whether who asks for an account's number in this text says that money goes there.
pub(super) fn is_of_payment(text: &str) -> bool {
    TO_IT.is_match(text) || speaks_of_bank(text)
}

/// Whether it says that it is the company's number for its customer.
pub(super) fn is_own(text: &str) -> bool {
    OWN.is_match(text)
}
