//! Secrets that only the words before them give away: "the code is 482 913".

use std::sync::LazyLock;

use regex::Regex;

use super::checks::{is_bsn, is_nhs, is_routing, is_ssn, is_steuer_id};
use super::{
    Before, Found, Kinds, Run, Secret, Word, accounts, another, joined, may_be_card, passwords,
    range_of,
};

/// A cue holds for what comes within so many bytes.
const REACH_BYTES: usize = 70;
/// What asks stands so near before a cue.
const SENTENCE_BYTES: usize = 200;
/// An answer to a question of an earlier turn begins within so many words.
pub(in super::super) const ANSWER_WITHIN_WORDS: usize = 8;
pub(super) fn regex(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("a pattern of this file")
}

/// What is spoken of, and the words that say so.
static CUES: LazyLock<Vec<(Topic, Regex)>> = LazyLock::new(|| {
    [
        (Topic::SecurityCode, r"\b(?:c\.?v\.?v\.?2?|ccv2?|cvc2?|cv2|csc|c v v|c v c|security (?:code|number|digits)|cid|cvn|card (?:verification|identification)|kartenprüfnummer|prüf(?:nummer|ziffer)|sicherheitscode|cryptogramme|code de sécurité|código de seguridad|(?:the|those|your|these) (?:three|3)(?: little| small)? (?:digits|numbers)|(?:three|four|3|4)[- ](?:digits?|numbers?)(?: \w+){0,3} (?:back|front|reverse|code|strip)|(?:code|number|digits|numbers) (?:on|at|from) the (?:back|reverse|front|(?:signature )?strip)|last (?:three|3) (?:on|at|from) the (?:back|(?:signature )?strip))\b"),
        (Topic::OneTimeCode, r"\b(?:one[- ]?time (?:code|pass\w*|pin)|otp|pass ?code|(?:verification|authentication|authorization|authorisation|auth|sms|texted?|log ?-?in|sign ?-?in|access|activation|six[- ]digit|6[- ]digit) code|code (?:that |which )?(?:i|we|you|they) (?:have |had |'ve )?(?:just )?(?:sent|texted|e-?mailed|got|received)|2fa|two[- ]factor|(?:bestätigungs|verifizierungs|einmal)(?:code|passwort|kennwort)|(?-i:TAN)|code (?:de vérification|de confirmation|à usage unique)|código de (?:verificación|confirmación|un solo uso)|(?:your|my|the) code(?: is|'s| was| says| reads)|code (?:in|from) the (?:text|sms|message|app|email|e-mail)|(?:read|tell|give)(?: me| us| out| back){0,2} (?:the|that|your) code|(?:what|which) code (?:did|do|have)|(?:texted|sent|e-?mailed|messaged) (?:you |me |us )?(?:a|an|the|another|your|my) (?:\w+ )?code|what (?:does|did) (?:the|that|your) (?:text|sms|message) say|authenticator(?: app)? (?:shows|says|reads|gives))\b"),
        (Topic::Pin, r"\b(?:pin|pin (?:code|number)|p i n|telephone banking (?:number|code)|geheimzahl|code secret)\b"),
        (Topic::SortCode, r"\b(?:sort ?code|s/c|sort no\.?|bank code|bankleitzahl|blz|bsb)\b"),
        (Topic::Account, r"\b(?:(?:account|acct|acc|a/c)(?: number| no\.?| num)|kontonummer|iban)\b"),
        (Topic::BankAccount, r"\b(?:bank account|checking account|savings account|current account|(?:account|acct)(?: number| no\.?)? (?:at|with|for) (?:the |my |your )?bank)\b"),
        (Topic::Routing, r"\b(?:routing(?: transit)?(?: number| no\.?)?|aba(?: number)?|transit number)\b"),
        (Topic::SocialSecurity, r"\b(?:social security(?: number| no\.?)?|ssn|s s n|itin|(?:my|your|of (?:my|your)) social)\b"),
        (Topic::NationalId, r"\b(?:national insurance(?: number)?|nino|n ?i number|tax (?:id|identification|payer)\w*(?: number)?|steuer(?:liche)?[- ]?(?:id|identifikationsnummer|nummer)\w*|bsn|burgerservicenummer|sofinummer|nhs(?: number| no\.?)|social insurance(?: number)?|passport(?: number| no\.?)?|national id\w*(?: card)?(?: number)?|identity card|id card(?: number)?|sécurité sociale|dni|codice fiscale|aadhaar)\b"),
        (Topic::Licence, r"\b(?:driv(?:er|ers|er'?s|er’s|ing)[ -]licen[cs]e(?: number| no\.?)?|driver licen[cs]e)\b"),
    ]
    .map(|(topic, pattern)| (topic, regex(pattern)))
    .into()
});

/// Codes that are none of these: "error code", "post code".
pub(super) static OTHER_CODE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:error|post|postal|zip|area|promo|discount|voucher|coupon|country|dial\w*|bar|product|fault|status|colou?r|reason) ?code(?: is|'s| was| says| reads)?\s*$",
    )
});
/// A turn of no more words that names a secret asks for it: "And the security code".
const ASKING_WORDS_MAX: usize = 6;
/// What asks for something to be said, before its cue in one sentence.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?:what|which|tell|give|confirm|read|say|need|enter|type|provide|have|get|could|can|may|please|spell|verify|share|\?)",
    )
});
/// Of a code that is lost nobody says what it is.
static OF_TROUBLE: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\b(?:reset|chang|forg[eo]t|lost|lose|wrong|block|lock|new|where|why|how|another)\w*")
});
/// A question that is over behind a cue: "and your PIN, please?"
static QUESTION: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^[^\w?]*(?:\w+[^\w?]*){0,5}?(?:\?|please\b)"));
/// A turn that ends in the middle: "the sort code is".
static OPEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?:\W+(?:number|is|was|it['’]?s|um|uh|so|for|that|this|would|be|again))*\W*$")
});
static SECRET_WORD_ASKED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:what|what['’]s|which|tell|give|confirm|say|need|provide|spell|verify|have|get|try|tried|type|typing|using)\b[^.?!]{0,40}\b(?:pass ?(?:word|phrase)|secret (?:word|answer)|memorable (?:word|name|place)|security (?:answer|word)|maiden name)\b|\b(?:pass ?(?:word|phrase)|secret (?:word|answer)|memorable (?:word|name|place)|security (?:answer|word)|maiden name)\W*\?\W*$|\b(?:passwort|kennwort|mot de passe|contraseña|wachtwoord)\W*\?\W*$|\b(?:password|passphrase|maiden name)(?: is| was|:)\W*$|\b(?:passwort|kennwort|mot de passe|contraseña|wachtwoord) (?:ist|lautet|est|es|is)\W*$",
    )
});
/// A word with digits in it, as documents are numbered.
static NUMBERED: LazyLock<Regex> =
    LazyLock::new(|| regex(r"[A-Z0-9]*\d[A-Z0-9]*(?:[- ]?[A-Z]?\d[A-Z0-9]*)*(?:[- ][A-Z]\b)?"));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    SecurityCode,
    OneTimeCode,
    Pin,
    SortCode,
    Account,
    BankAccount,
    Routing,
    SocialSecurity,
    NationalId,
    Licence,
}

impl Topic {
    pub const fn kind(self) -> Secret {
        match self {
            Self::SecurityCode => Secret::SecurityCode,
            Self::OneTimeCode => Secret::OneTimeCode,
            Self::Pin => Secret::Password,
            Self::SortCode | Self::Account | Self::BankAccount | Self::Routing => {
                Secret::BankAccount
            }
            Self::SocialSecurity | Self::NationalId => Secret::NationalId,
            Self::Licence => Secret::DrivingLicence,
        }
    }

    fn is_of_bank(self) -> bool {
        matches!(self, Self::SortCode | Self::BankAccount | Self::Routing)
    }

    /// Whether these digits can be what it speaks of.
    pub fn fits(self, digits: &str, of_bank: bool) -> bool {
        let length = digits.len();
        match self {
            Self::SecurityCode => (3..=4).contains(&length),
            Self::OneTimeCode => (4..=10).contains(&length),
            Self::Pin => (4..=8).contains(&length),
            Self::SortCode => length == 6 || length == 8 || length == 14,
            // A customer's account with the company itself is no secret, and is looked up.
            Self::Account | Self::BankAccount => of_bank && (6..=12).contains(&length),
            Self::Routing => {
                length == 9 && is_routing(digits) || of_bank && (6..=12).contains(&length)
            }
            Self::SocialSecurity => length == 4 || is_ssn(digits),
            Self::NationalId => {
                is_nhs(digits)
                    || is_steuer_id(digits)
                    || is_bsn(digits)
                    || (6..=12).contains(&length)
            }
            Self::Licence => length >= 5,
        }
    }
}

/// The last bytes before a place, and no part of a character.
pub(super) fn last_bytes(text: &str, end: usize, most: usize) -> &str {
    &text[text.ceil_char_boundary(end.saturating_sub(most))..end]
}

/// The first bytes from a place on, and no part of a character.
pub(super) fn first_bytes(text: &str, from: usize, most: usize) -> &str {
    &text[from..text.floor_char_boundary(from.saturating_add(most))]
}

/// Cues with where they end, in order of their ends.
fn cues(text: &str) -> Vec<(usize, Topic)> {
    let mut found: Vec<(usize, Topic)> = CUES
        .iter()
        .flat_map(|(topic, regex)| regex.find_iter(text).map(|hit| (hit.end(), *topic)))
        .filter(|(end, topic)| {
            *topic != Topic::OneTimeCode
                || !OTHER_CODE.is_match(last_bytes(text, *end, REACH_BYTES))
        })
        .collect();
    found.sort_by_key(|(end, _)| *end);
    found
}

pub(super) fn cued(text: &str, words: &[Word<'_>], runs: &[Run], before: Before) -> Vec<Found> {
    let mut found = passwords::passwords(text, words, before);
    let cues = cues(text);
    let of_bank = before.of_bank || cues.iter().any(|(_, topic)| topic.is_of_bank());
    for run in runs {
        let range = range_of(run, words);
        if may_be_card(&run.digits) {
            continue;
        }
        let near = cues[..cues.partition_point(|(end, _)| *end <= range.start)]
            .iter()
            .rev()
            .take_while(|(end, _)| range.start - end <= REACH_BYTES)
            // "my PIN doesn't work, and the order is 4711"
            .filter(|(end, _)| !text[*end..range.start].split_whitespace().any(turns_away));
        let mut topics = near.map(|(_, topic)| *topic);
        let topic = topics.find(|topic| topic.fits(&run.digits, of_bank));
        let topic = topic.or_else(|| joined::behind(text, range.end, &run.digits));
        let kind = topic.map(Topic::kind).or_else(|| answer(run, before));
        if let Some(kind) = kind {
            found.push(Found { start: range.start, end: range.end, kind });
        }
    }
    joined::joined(text, of_bank, &mut found);
    documents(text, &cues, before.asked, &mut found);
    found
}

/// Whether a word between a cue and digits says that they are something else's; codes are for accounts and telephones.
fn turns_away(word: &str) -> bool {
    let small = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    another::is_name(&small)
        && !matches!(&*small, "account" | "code" | "id" | "phone" | "mobile" | "reads")
}

/// Where digits begin that are spoken of, and may go on.
pub(super) fn open_number(
    text: &str,
    words: &[Word<'_>],
    runs: &[Run],
    kinds: Kinds,
    before: Before,
) -> Option<usize> {
    let last = runs.last().filter(|run| run.trails)?;
    let start = range_of(last, words).start;
    let is_near = |end: &usize| *end <= start && start - end <= REACH_BYTES;
    let is_cued = cues(text).iter().any(|(end, topic)| is_near(end) && kinds.has(topic.kind()));
    let answers =
        last.first < ANSWER_WITHIN_WORDS && kinds.iter().any(|kind| before.asked.has(kind));
    (is_cued || answers).then_some(start)
}

/// What answers a question of an earlier turn.
fn answer(run: &Run, before: Before) -> Option<Secret> {
    let length = run.digits.len();
    let fits = |kind: Secret| match kind {
        Secret::SecurityCode => (3..=4).contains(&length),
        Secret::OneTimeCode => (4..=10).contains(&length),
        Secret::Password => (4..=8).contains(&length),
        Secret::BankAccount => matches!(length, 6..=12 | 14),
        Secret::NationalId => (9..=11).contains(&length),
        // "Twelve three eighty-four"; five digits with words around them are a postal code.
        Secret::BirthDate => (6..=8).contains(&length) || length == 5 && run.leads && run.trails,
        _ => false,
    };
    let asked = before.asked;
    (run.first < ANSWER_WITHIN_WORDS).then(|| asked.iter().find(|kind| fits(*kind))).flatten()
}

/// Numbers of documents with letters in them: licences, passports.
fn documents(text: &str, cues: &[(usize, Topic)], asked: Kinds, found: &mut Vec<Found>) {
    let answers = [Topic::NationalId, Topic::Licence]
        .into_iter()
        .filter(|topic| asked.has(topic.kind()))
        .map(|topic| (0, topic));
    for (end, topic) in cues.iter().copied().chain(answers) {
        if !matches!(topic, Topic::NationalId | Topic::Licence | Topic::SocialSecurity) {
            continue;
        }
        let rest = first_bytes(text, end, REACH_BYTES);
        let reach = rest
            .char_indices()
            .map(|(at, _)| at)
            .find(|at| *at >= REACH_BYTES / 2)
            .unwrap_or(rest.len());
        let Some(hit) = NUMBERED.find_iter(rest).find(|hit| hit.start() <= reach) else { continue };
        let digits = hit.as_str().bytes().filter(u8::is_ascii_digit).count();
        if (5..=12).contains(&digits) {
            found.push(Found {
                start: end + hit.start(),
                end: end + hit.end(),
                kind: topic.kind(),
            });
        }
    }
}

/// What this turn asks for, or ends in the middle of.
pub(super) fn asked(text: &str) -> Before {
    let cues = cues(text);
    let of_bank = cues.iter().any(|(_, topic)| topic.is_of_bank());
    let (mut kinds, mut account) = (Vec::new(), false);
    let last_digit = text.rfind(|c: char| c.is_ascii_digit());
    let is_bare = text.split_whitespace().count() <= ASKING_WORDS_MAX;
    for (end, topic) in &cues {
        let sentence = last_bytes(text, *end, SENTENCE_BYTES);
        let before = sentence.rsplit(['.', '!', '\n']).next().unwrap_or_default();
        let rest = &text[*end..];
        let is_told = last_digit.is_some_and(|at| at >= *end);
        // "What's the new account number?"
        let is_told = is_told || topic.kind() != Secret::BankAccount && OF_TROUBLE.is_match(before);
        let asks = || ASKS.is_match(before) || QUESTION.is_match(rest) || OPEN.is_match(rest);
        let is_asked = is_bare && !rest.contains(char::is_alphanumeric);
        if !is_told && (is_asked || asks()) {
            match topic {
                Topic::Account if accounts::is_own(text) => {}
                Topic::Account if !of_bank && !accounts::is_of_payment(text) => account = true,
                _ => kinds.push(topic.kind()),
            }
        }
    }
    if SECRET_WORD_ASKED.is_match(text) {
        kinds.push(Secret::Password);
    }
    if super::dates::asks_birth(text) {
        kinds.push(Secret::BirthDate);
    }
    Before { asked: Kinds::of(&kinds), of_bank, account, other: another::is_asked(text) }
}
