//! Check digits and formats of identifiers.

/// Countries with IBANs, and how long theirs are (ISO 13616, registry of SWIFT, release 99).
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SC", 31),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

/// How many characters an IBAN has that begins like this text of upper-case letters and digits.
pub(super) fn iban_length(text: &str) -> Option<usize> {
    let country = text.get(..2)?;
    let has_check = text.get(2..4)?.bytes().all(|byte| byte.is_ascii_digit());
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| *code == country)?;
    has_check.then_some(*length)
}

/// ISO 7064 MOD 97-10 over the rearranged IBAN, which is upper-case letters and digits.
pub(super) fn is_iban(text: &str) -> bool {
    if iban_length(text) != Some(text.len()) {
        return false;
    }
    let (head, rest) = text.split_at(4);
    let rest = rest.bytes().chain(head.bytes()).try_fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => Some((rest * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(byte - b'A') + 10) % 97),
        _ => None,
    });
    rest == Some(1)
}

fn values(digits: &str) -> Vec<u32> {
    digits.bytes().map(|byte| u32::from(byte.wrapping_sub(b'0'))).collect()
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Routing number of a bank in the United States (American Bankers Association: 3-7-1 weights, and the
/// Federal Reserve's districts).
pub(super) fn is_routing(digits: &str) -> bool {
    if digits.len() != 9 {
        return false;
    }
    let district: u32 = digits[..2].parse().unwrap_or(99);
    let is_district = matches!(district, 0..=12 | 21..=32 | 61..=72 | 80);
    is_district && weighted(&values(digits), &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// Social Security number of the United States (SSA, POMS RM 10201.035: area, group and serial in use).
pub(super) fn is_ssn(digits: &str) -> bool {
    if digits.len() != 9 {
        return false;
    }
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    // An ITIN (Internal Revenue Service) begins with 9 and is as secret.
    area != "000" && area != "666" && group != "00" && serial != "0000"
}

/// National Insurance number of the United Kingdom (HMRC, NIM39110), in capitals without spaces.
pub(super) fn is_nino(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 9 || !bytes[2..8].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let (first, second) = (bytes[0], bytes[1]);
    let is_letter = |byte: u8| byte.is_ascii_uppercase() && !b"DFIQUV".contains(&byte);
    let is_free = !matches!(&text[..2], "BG" | "GB" | "KN" | "NK" | "NT" | "TN" | "ZZ");
    is_letter(first)
        && is_letter(second)
        && second != b'O'
        && is_free
        && (b'A'..=b'D').contains(&bytes[8])
}

/// NHS number of England (NHS Data Dictionary: modulus 11).
pub(super) fn is_nhs(digits: &str) -> bool {
    let values = values(digits);
    if values.len() != 10 {
        return false;
    }
    let check = (11 - weighted(&values[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    check == values[9]
}

/// Steuer-ID of Germany (§ 139b AO; ISO 7064 MOD 11,10; no zero first, one digit two or three times).
pub(super) fn is_steuer_id(digits: &str) -> bool {
    let values = values(digits);
    if values.len() != 11 || values[0] == 0 {
        return false;
    }
    let mut product = 10;
    let mut counts = [0_u8; 10];
    for value in &values[..10] {
        counts[*value as usize % 10] += 1;
        let sum = (value + product) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    repeated == 1 && counts.iter().all(|count| *count <= 3) && (11 - product) % 10 == values[10]
}

/// NIR of France with its key (INSEE: 97 less the remainder; departments 2A and 2B count as 19 and 18).
pub(super) fn is_nir(text: &str) -> bool {
    if text.len() != 15 || !text.is_ascii() || !matches!(text.as_bytes()[0], b'1' | b'2') {
        return false;
    }
    let number = text[..13].to_ascii_uppercase().replace("2A", "19").replace("2B", "18");
    let month: u32 = number[3..5].parse().unwrap_or(0);
    let is_month = matches!(month, 1..=12 | 20 | 30..=42 | 50..=99);
    let (Ok(number), Ok(key)) = (number.parse::<u64>(), text[13..].parse::<u64>()) else {
        return false;
    };
    is_month && 97 - number % 97 == key
}

/// DNI or NIE of Spain (Real Decreto 1553/2005: the letter at the remainder by 23), in capitals.
pub(super) fn is_dni(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    if text.len() != 9 || !text.is_ascii() {
        return false;
    }
    let number = match text.as_bytes()[0] {
        b'X' => format!("0{}", &text[1..8]),
        b'Y' => format!("1{}", &text[1..8]),
        b'Z' => format!("2{}", &text[1..8]),
        _ => text[..8].to_owned(),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    number.parse::<usize>().is_ok_and(|number| LETTERS[number % 23] == text.as_bytes()[8])
}

/// Codice fiscale of Italy (D.M. 23 December 1976: odd and even places, modulus 26), in capitals.
pub(super) fn is_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let bytes = text.as_bytes();
    let is_shaped = bytes.len() == 16
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            0..=5 | 8 | 11 | 15 => byte.is_ascii_uppercase(),
            _ => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte),
        });
    if !is_shaped {
        return false;
    }
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        _ => u32::from(byte - b'A'),
    };
    let sum: u32 = (0..15)
        .map(|place| match place % 2 {
            0 => ODD[value(bytes[place]) as usize],
            _ => value(bytes[place]),
        })
        .sum();
    sum % 26 == value(bytes[15])
}

/// BSN of the Netherlands (the "elfproef").
pub(super) fn is_bsn(digits: &str) -> bool {
    let values = values(digits);
    if values.len() != 9 || values.iter().all(|value| *value == 0) {
        return false;
    }
    let sum = weighted(&values[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    (sum + 11 - values[8] % 11).is_multiple_of(11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_ones_are_known_and_wrong_ones_are_not() {
        // Samples of the registries themselves, and one digit of each changed.
        type Check = fn(&str) -> bool;
        let samples: [(Check, &str, &str); 11] = [
            (is_iban, "GB82WEST12345698765432", "GB82WEST12345698765433"),
            (is_iban, "DE89370400440532013000", "DE89370400440532013001"),
            (is_routing, "021000021", "021000022"),
            (is_ssn, "219099999", "666099999"),
            (is_nino, "AB123456C", "BG123456C"),
            (is_nhs, "9434765919", "9434765918"),
            (is_steuer_id, "86095742719", "86095742718"),
            (is_nir, "255081416802538", "255081416802539"),
            (is_dni, "12345678Z", "12345678A"),
            (is_codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
            (is_bsn, "111222333", "111222334"),
        ];
        for (check, right, wrong) in samples {
            assert!(check(right), "{right}");
            assert!(!check(wrong), "{wrong}");
            for other in ["", "0", "é", "ABCDEFGHI", "ééééééééé", "123456789012345678901234567890"]
            {
                assert!(!check(other) || other.len() == 9, "{other}");
            }
        }
    }
}
