//! Whose account is spoken of: a bank's, which is a secret, or the company's own number for its customer.

use std::sync::LazyLock;

use regex::Regex;

use super::cues::regex;

/// Somebody tells their bank's details, or will.
static BANK: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:(?:bank|checking|savings|current) accounts?|bank(?:ing)? (?:details|transfer|number)|(?:your|my|the|which|what|new|other|different) bank|building society|sort ?code|routing|iban|bic|swift|sepa|bacs|wire|bank(?:verbindung|leitzahl|konto)|lastschrift|(?:set ?up|setting up|start|new|change|changing|update|by|via|for) (?:a |the |your |my |this |that |another )?direct debit|(?:refund|pay|paid|transfer|deposit|send|return|credit)\w*(?: \w+){0,4} (?:in)?to (?:your|my|the|an|another|a) )",
    )
});
/// What somebody saw there.
static SEEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:look\w*|check\w*|saw|see|seen|seeing|notic\w+|show\w*)(?: \w+){0,2} (?:my|the) (?:online )?(?:bank(?: (?:accounts?|statements?|app))?|(?:checking|savings|current) accounts?)\b|\b(?:my|the) (?:bank(?: (?:account|statement|app))?) (?:shows?|says|showed|said)\b",
    )
});
/// Money is to go somewhere.
static PAYMENT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:refund\w*|reimburse\w*|pay(?:ing|out|ee|s)?|payments?|transfer\w*|deposit\w*|direct debits?|standing order|überweis\w*|erstatt\w*|auszahl\w*)\b",
    )
});

pub(super) fn speaks_of_bank(text: &str) -> bool {
    BANK.is_match(text) && BANK.is_match(&SEEN.replace_all(text, " "))
}

/// Whether who asks for an account's number in this text says that money goes there.
pub(super) fn is_of_payment(text: &str) -> bool {
    PAYMENT.is_match(text) || speaks_of_bank(text)
}
