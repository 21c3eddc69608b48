//! What a payment-card number looks like (ISO/IEC 7812: length, issuer prefix, check digit).

/// Networks' issuer prefixes as first digits from..=to.
const ISSUERS: &[(&str, &str)] = &[
    ("4", "4"),       // Visa
    ("51", "55"),     // Mastercard
    ("2221", "2720"), // Mastercard
    ("34", "34"),     // American Express
    ("37", "37"),     // American Express
    ("300", "305"),   // Diners Club
    ("36", "36"),     // Diners Club
    ("38", "39"),     // Diners Club
    ("3528", "3589"), // JCB
    ("6011", "6011"), // Discover
    ("644", "649"),   // Discover
    ("65", "65"),     // Discover
    ("62", "62"),     // UnionPay
    ("5018", "5018"), // Maestro
    ("5020", "5020"), // Maestro
    ("5038", "5038"), // Maestro
    ("5893", "5893"), // Maestro
    ("6304", "6304"), // Maestro
    ("6759", "6763"), // Maestro
    ("2200", "2204"), // Mir
];

/// Digits of the shortest card numbers in use.
pub(super) const SHORTEST: usize = 13;
/// Digits of nearly all others.
pub(super) const USUAL: usize = 16;
/// The shortest and longest card numbers in use.
const LENGTH: std::ops::RangeInclusive<usize> = SHORTEST..=19;
/// Longer than account, sort-code and telephone numbers get when read out at one go.
const SUSPICIOUS_DIGITS: usize = 9;

/// The check digit of ISO/IEC 7812-1, annex B (H. P. Luhn, US patent 2,950,048).
pub(super) fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit * 2) {
                (0, _) => digit,
                (_, doubled) if doubled > 9 => doubled - 9,
                (_, doubled) => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// So many digits in one run are taken for a card, with or without a right check digit: the
/// recogniser may have misheard one, and expiry date and security code may follow in the same breath.
pub(super) fn is_card(digits: &str) -> bool {
    // A telephone number with its country code is the one thing of that length that people dictate.
    let telephone = digits.len() == 13 && digits.starts_with("0044");
    digits.len() >= *LENGTH.start() && !telephone || contains_card(digits)
}

/// A valid number hidden in a longer run.
fn contains_card(digits: &str) -> bool {
    LENGTH.clone().any(|length| {
        digits.len() >= length
            && (0..=digits.len() - length).any(|start| luhn(&digits[start..start + length]))
    })
}

/// Whether groups of digits look like a network's number: all of them but for the check digit, or some with it. It begins
/// where a group does; in one long group it may begin anywhere, with the usual lengths.
pub(super) fn look_like_card(groups: &[&str]) -> bool {
    let all = groups.concat();
    let mut begins: Vec<usize> = groups
        .iter()
        .scan(0, |next, group| Some(std::mem::replace(next, *next + group.len())))
        .collect();
    if groups.len() == 1 {
        begins = (0..all.len()).collect();
    }
    let is_hidden = |at: &usize| {
        let is_usual = |length: &usize| *at == 0 || (14..=USUAL).contains(length);
        let mut numbers = LENGTH.clone().filter(is_usual);
        numbers.any(|length| all.get(*at..at + length).is_some_and(is_whole_card))
    };
    is_number(&all) || begins.iter().any(is_hidden)
}

fn is_number(digits: &str) -> bool {
    has_issuer(digits) && has_length(digits)
}

/// As long as the numbers of the network that they begin like (ISO/IEC 7812; the networks' own rules).
fn has_length(digits: &str) -> bool {
    let length = digits.len();
    match digits.get(..2) {
        Some("34" | "37") => length == 15,
        Some("30" | "36" | "38" | "39") => length == 14 || (USUAL..=19).contains(&length),
        Some("50" | "58" | "63" | "67") => LENGTH.contains(&length),
        Some(two) if two.starts_with('4') => [13, USUAL, 19].contains(&length),
        _ => (USUAL..=19).contains(&length),
    }
}

/// As long as a network's numbers are.
pub(super) fn is_of_length(digits: &str) -> bool {
    LENGTH.contains(&digits.len())
}

/// A run of this beginning and length could go on to be a card number.
pub(super) fn may_become_card(digits: &str) -> bool {
    has_issuer(digits) || (digits.len() >= SUSPICIOUS_DIGITS && !digits.starts_with('0'))
}

/// Groups with other words between them are one card when they add up to exactly one.
pub(super) fn is_whole_card(digits: &str) -> bool {
    is_number(digits) && luhn(digits)
}

/// A number after which nothing of it can come, as the shorter ones may begin longer ones.
pub(super) fn is_complete(digits: &str) -> bool {
    const SHORTEST_OF_ITS_OWN: usize = 15;
    digits.len() >= SHORTEST_OF_ITS_OWN && is_whole_card(digits)
}

/// The number that groups of digits are, in the way in which such numbers are printed or said digit by digit, with
/// nothing but its date and code behind it. Digits that only happen to add up to a number are none.
pub(super) fn number_of(groups: &[&str]) -> Option<String> {
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let all = groups.concat();
    let (number, rest) = all.split_at_checked(match all.get(..2)? {
        "34" | "37" => 15,
        "30" | "36" | "38" | "39" => 14,
        _ => USUAL,
    })?;
    let printed: &[&[usize]] = match number.len() {
        15 => &[&[15], &[4, 6, 5]],
        14 => &[&[14], &[4, 6, 4]],
        _ => &[&[16], &[4, 4, 4, 4], &[8, 8], &[4, 4, 8], &[8, 4, 4]],
    };
    // A digit of a date that is said in ones and twos takes the place of one that was lost.
    let is_spelled = lengths.iter().all(|length| *length <= 2) && rest.is_empty();
    let is_printed = printed.iter().any(|form| lengths.starts_with(form));
    let is_clear =
        is_printed && is_behind(rest) || is_spelled && !is_date(&number[number.len() - 4..]);
    (is_clear && is_whole_card(number)).then(|| number.to_owned())
}

/// Month and year.
fn is_date(digits: &str) -> bool {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    (1..=12).contains(&number(digits.get(..2))) && (20..=49).contains(&number(digits.get(2..4)))
}

/// A date, a code, or both.
fn is_behind(digits: &str) -> bool {
    match digits.len() {
        0 => true,
        // Numbers of 19 digits begin like others of 16.
        3 => false,
        4 | 7 | 8 => is_date(digits),
        6 | 9 | 10 => {
            digits.get(2..4) == Some("20") && is_date(&[&digits[..2], &digits[4..6]].concat())
        }
        _ => false,
    }
}

/// A network's numbers begin like this.
pub(super) fn has_issuer(digits: &str) -> bool {
    ISSUERS.iter().any(|(from, to)| {
        let length = from.len().min(digits.len());
        (&from[..length]..=&to[..length]).contains(&&digits[..length])
    })
}

/// Words after which digits are likely a card's.
pub(super) fn names_a_card(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    matches!(
        word.as_str(),
        "card"
            | "cards"
            | "visa"
            | "mastercard"
            | "amex"
            | "maestro"
            | "sixteen-digit"
            | "16-digit"
    )
}

/// Telephone numbers are dictated in the form of their country, which mostly begins so and has so many digits; no
/// network's card numbers begin with a nought.
pub(super) fn is_telephone(digits: &str) -> bool {
    digits.starts_with('0') && (10..=11).contains(&digits.len())
}
