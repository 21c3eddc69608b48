//! Addresses: e-mail, web, postcodes.

use crate::domain::number_of;

use super::{Place, Written};

const ENDINGS: [&str; 16] = [
    "com", "org", "net", "uk", "example", "io", "eu", "de", "fr", "es", "ie", "info", "biz", "edu",
    "gov", "us",
];
/// Words that are no mailbox when "at" follows.
const NO_MAILBOX: [&str; 40] = [
    "look",
    "looking",
    "looked",
    "be",
    "is",
    "are",
    "am",
    "was",
    "me",
    "us",
    "them",
    "him",
    "her",
    "it",
    "find",
    "found",
    "here",
    "there",
    "works",
    "work",
    "working",
    "online",
    "out",
    "arrived",
    "shop",
    "buy",
    "bought",
    "that",
    "this",
    "up",
    "stuff",
    "one",
    "anything",
    "everything",
    "and",
    "or",
    "account",
    "page",
    "someone",
    "go",
];
/// Words directly before a mailbox. After any other the mailbox may have begun earlier: of "john smith
/// at" nobody knows how the two are joined.
const OPENERS: [&str; 34] = [
    "", "is", "it's", "its", "that's", "was", "address", "at", "to", "email", "e-mail", "mail",
    "yes", "yeah", "yep", "um", "uh", "er", "so", "okay", "ok", "well", "use", "try", "with", "on",
    "for", "and", "or", "as", "by", "via", "please", "then",
];
/// The same for one word without a dot in it.
const OPENERS_OF_ONE: [&str; 7] = ["is", "it's", "its", "that's", "address", "at", "to"];
/// Words that go on after a web address; another noun makes "dot com" a phrase.
const FOLLOWERS: [&str; 40] = [
    "and", "or", "to", "for", "in", "on", "at", "please", "then", "is", "was", "it", "if", "so",
    "but", "which", "where", "with", "from", "i", "we", "you", "they", "he", "she", "that", "this",
    "now", "today", "again", "there", "has", "says", "slash", "as", "because", "when", "website",
    "thanks", "thank",
];
/// No site is called so.
const NO_SITES: [&str; 10] =
    ["the", "a", "an", "this", "that", "these", "those", "of", "and", "or"];
/// The areas of British postcodes.
const AREAS: &str = "AB AL B BA BB BD BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG \
    DH DL DN DT DY E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW \
    KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA \
    SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO \
    ZE";

fn joiner(word: &str) -> Option<&'static str> {
    match word {
        "dot" => Some("."),
        "underscore" => Some("_"),
        "dash" | "hyphen" => Some("-"),
        _ => None,
    }
}

fn is_label(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// "example dot co dot uk", from `ahead` on.
fn domain(place: &Place, ahead: usize) -> Written {
    let mut text = String::new();
    let mut words = 0;
    loop {
        let word = place.word(ahead + words);
        if !is_label(word) {
            return None;
        }
        text.push_str(word);
        words += 1;
        match joiner(place.word(ahead + words)) {
            Some(join @ ("." | "-")) if place.whole(ahead + words + 1) => {
                text.push_str(join);
                words += 1;
            }
            _ => break,
        }
    }
    let ending = text.rsplit_once('.')?.1;
    (ENDINGS.contains(&ending) && place.whole(ahead + words)).then_some((words, text))
}

/// "john dot smith at example dot com". Without a dot or digits in it, a mailbox has to be spoken of:
/// "look at example dot com" names none.
pub(super) fn email(place: &Place) -> Written {
    let mut mailbox = String::new();
    let mut words = 0;
    let mut joined = false;
    // A mailbox begins at a word's beginning, not in the middle of another one.
    if joiner(place.word_before(1)).is_some() {
        return None;
    }
    loop {
        let word = place.word(words);
        match number_of(word).filter(|digit| *digit < 10 && joined) {
            Some(digit) => mailbox.push(char::from(b'0' + digit)),
            None if is_label(word) && word != "at" => mailbox.push_str(word),
            None => return None,
        }
        words += 1;
        match joiner(place.word(words)) {
            Some(join) => {
                joined = true;
                mailbox.push_str(join);
                words += 1;
            }
            None if place.word(words) == "at" => break,
            // "john smith five at": a digit may follow what is spelled.
            None if joined && number_of(place.word(words)).is_some_and(|digit| digit < 10) => {}
            None => return None,
        }
    }
    let (more, domain) = domain(place, words + 1)?;
    let spoken_of = (1..=6).any(|back| {
        matches!(
            place.word_before(back),
            "email" | "e-mail" | "mail" | "emails" | "address" | "write" | "contact" | "send"
        )
    });
    let before = place.word_before(1);
    let sound = match joined {
        true => OPENERS.contains(&before) || place.at > 0 && place.closed_before(),
        false => {
            spoken_of && OPENERS_OF_ONE.contains(&before) && !NO_MAILBOX.contains(&mailbox.as_str())
        }
    };
    sound.then(|| (words + 1 + more, format!("{mailbox}@{domain}")))
}

/// "www dot example dot com", "example dot com".
pub(super) fn web(place: &Place) -> Written {
    let before = place.word_before(1);
    if joiner(before).is_some() || place.word(1) != "dot" {
        return None;
    }
    let (words, site) = domain(place, 0)?;
    if NO_SITES.contains(&place.word(0)) {
        return None;
    }
    // Of a mailbox whose name isn't clear, half an address would be left.
    let mailed = |back| matches!(place.word_before(back), "email" | "e-mail" | "mail" | "emails");
    if before == "at" && (1..=8).any(mailed) {
        return place.as_said(words);
    }
    let ends = place.closed(words - 1) || FOLLOWERS.contains(&place.word(words));
    (ends || place.word(0) == "www").then_some((words, site))
}

/// "S W one A one A A" and "M1 1AE" in pieces: British postcodes (BS 7666).
pub(super) fn postcode(place: &Place) -> Written {
    let mut code = String::new();
    let mut words = 0;
    let mut found = None;
    while words < 7 && place.whole(words + 1) {
        let core = place.core(words);
        match number_of(place.word(words)).filter(|digit| *digit < 10) {
            Some(digit) => code.push(char::from(b'0' + digit)),
            None if core.len() <= 4
                && core.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                && !core.is_empty() =>
            {
                code.push_str(core);
            }
            None => break,
        }
        words += 1;
        if is_postcode(&code) {
            found =
                Some((words, format!("{} {}", &code[..code.len() - 3], &code[code.len() - 3..])));
        }
    }
    // "SW1A 1AA B" is something else.
    let goes_on = found.as_ref().is_some_and(|(words, _)| {
        let next = place.core(*words);
        place.whole(words + 1) && next.len() == 1 && next.bytes().all(|b| b.is_ascii_uppercase())
    });
    found.filter(|_| !goes_on)
}

fn is_postcode(code: &str) -> bool {
    let bytes = code.as_bytes();
    if !(5..=7).contains(&bytes.len()) {
        return false;
    }
    let (outward, inward) = bytes.split_at(bytes.len() - 3);
    let letters = outward.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let district = &outward[letters.min(outward.len())..];
    let [sector, unit @ ..] = inward else { return false };
    let area = &code[..letters];
    AREAS.split_ascii_whitespace().any(|known| known == area)
        && matches!(district.len(), 1..=2)
        && district[0].is_ascii_digit()
        && sector.is_ascii_digit()
        && unit.iter().all(|letter| letter.is_ascii_uppercase() && !b"CIKMOV".contains(letter))
}
