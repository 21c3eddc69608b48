use proptest::prelude::*;

use super::card::luhn;
use super::digits::runs;
use super::*;
use crate::domain::RedactionOutcome;

fn words(text: &str) -> Vec<RawWord> {
    words_at(text, 0)
}

pub(super) fn words_at(text: &str, from_ms: u64) -> Vec<RawWord> {
    text.split_whitespace()
        .enumerate()
        .map(|(index, word)| RawWord {
            text: word.to_owned(),
            start_ms: from_ms + index as u64 * 300,
            end_ms: from_ms + index as u64 * 300 + 250,
            confidence: 0.9,
        })
        .collect()
}

/// Plays finals, five seconds apart, and returns their texts and the decisions, a line each.
pub(super) fn check(turns: &[&str]) -> Vec<String> {
    let mut masker = Masker::default();
    let mut lines = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        let (party, text) = turn.split_once(": ").unwrap_or(("customer", turn));
        let id = TurnId::from(format!("t-{number}"));
        let masked =
            masker.final_turn(&PartyId::from(party), &id, &words_at(text, number as u64 * 5_000));
        lines.push(masked.text.as_str().to_owned());
        lines.extend(masked.resolved.iter().map(decision));
    }
    lines.extend(masker.finish().iter().map(decision));
    lines
}

fn decision(resolved: &RedactionResolved) -> String {
    match &resolved.outcome {
        RedactionOutcome::Kept(kind) => {
            format!("{} {} stays: {}", resolved.turn_id, resolved.placeholder, kind.as_str())
        }
        RedactionOutcome::Released(text) => {
            format!("{} {} was: {}", resolved.turn_id, resolved.placeholder, text.as_str())
        }
    }
}

#[test]
fn a_number_said_in_words_is_masked_with_its_card() {
    assert_eq!(
        check(&["The card number is four five three nine, one four eight eight, zero three four \
                 three, six four six seven."]),
        ["The card number is [card-1]."]
    );
}

#[test]
fn surprise_after_a_number_is_no_digit_of_it() {
    assert_eq!(
        check(&["My card number is 4539 1488 0343 6467.", "Oh, okay, sorry."]),
        ["My card number is [card-1].", "Oh, okay, sorry."]
    );
    let lines = check(&["My card number is 4539 1488 0343 646", "Oh", "seven nine"]);
    assert!(lines.iter().all(|line| !line.contains("Oh")), "{lines:?}");
}

#[test]
fn written_groups_pairs_and_doubles_are_one_number() {
    for text in [
        "4539 1488 0343 6467",
        "4539-1488-0343-6467.",
        "4539148803436467",
        "forty-five thirty-nine fourteen eighty-eight oh three forty-three sixty-four sixty-seven",
        "4539 um 1488, and then 0343, 6467",
        "four five three nine one four double eight oh three four three six four six seven",
        "for five three nine 14 88 zero three 43 6467",
        "four,five,three,nine,one,four,eight,eight,zero,three,four,three,six,four,six,seven",
        "four.five.three.nine/one_four_eight_eight_zero three,four,three,six,four,six,seven.",
    ] {
        let lines = check(&[text]);
        assert!(lines[0].contains("[card-1]"), "{text}: {lines:?}");
        assert!(runs(lines[0].split(' ')).iter().all(|run| run.digits.len() < 4), "{lines:?}");
    }
}

#[test]
fn a_number_split_over_turns_never_shows() {
    assert_eq!(
        check(&[
            "customer: It's four five three nine",
            "agent: Mm-hm.",
            "customer: one four eight eight",
            "customer: hang on",
            "customer: zero three four three six four six seven. Is that enough?",
        ]),
        [
            "It's [digits-1]",
            "Mm-hm.",
            "[digits-2]",
            "hang on",
            "[card-1]. Is that enough?",
            "t-0 [digits-1] stays: card",
            "t-2 [digits-2] stays: card",
        ]
    );
}

#[test]
fn a_birthday_of_bare_numbers_is_one_where_it_was_asked_for() {
    for answer in ["12 3 84", "It's 12, 3, 1984.", "twelve three eighty-four", "1 3 84"] {
        let lines = check(&["agent: What's your date of birth?", &format!("customer: {answer}")]);
        assert!(lines[1].contains("[birth_date-1]"), "{lines:?}");
        assert!(!lines[1].contains("84"), "{lines:?}");
    }
    assert_eq!(check(&["I have 12 3 84 here"])[0], "I have 12 3 84 here");
    // A card in which such numbers stand is a card, and one behind an account's number, too.
    let lines = check(&["agent: What's your date of birth?", "customer: 4539 12 3 84 0343 646"]);
    assert_eq!(lines[1], "[card-1]");
    let lines = check(&["GB82 WEST 1234 5698 7654 32 4539 1488 0343 6467"]);
    assert!(lines[0].ends_with("[card-1]"), "{lines:?}");
    assert_eq!(check(&["GB82 WEST 1234 5698 7654 32 and 55"])[0], "[iban-1] and 55");
}

#[test]
fn an_account_number_that_looks_like_a_card_comes_back() {
    assert_eq!(
        check(&[
            "customer: It's four one four two two nine zero seven.",
            "agent: Thank you. And what is the name on the account?",
            "customer: It is Daniel Okafor and I live in Leeds.",
            "customer: I have been with you for many years now.",
        ]),
        [
            "It's [digits-1].",
            "Thank you. And what is the name on the account?",
            "It is Daniel Okafor and I live in Leeds.",
            "I have been with you for many years now.",
            "t-0 [digits-1] was: four one four two two nine zero seven",
        ]
    );
}

#[test]
fn numbers_that_no_card_begins_with_are_shown_at_once() {
    assert_eq!(
        check(&["Yeah, it's six one four, two two nine, zero seven."]),
        ["Yeah, it's six one four, two two nine, zero seven."]
    );
    assert_eq!(check(&["My mobile is 07700 900123"]), ["My mobile is 07700 900123"]);
    assert_eq!(check(&["That was £42.50 on the 3rd, two times."]).len(), 1);
}

#[test]
fn after_the_word_card_short_runs_stay_hidden() {
    assert_eq!(
        check(&[
            "the last digits of my card are 6467 I think",
            "what else do you need from me then"
        ]),
        [
            "the last digits of my card are [digits-1] I think",
            "what else do you need from me then",
            "t-0 [digits-1] stays: digits",
        ]
    );
}

#[test]
fn words_between_the_groups_do_not_help_a_number_out() {
    for turns in [
        &["4539 1488. Did you get that? 0343 6467 is the rest."][..],
        &["4539 1488", "sorry it's hard to read in this light here", "0343 6467"],
        &["Long number on your card, please", "sure", "4539 1488", "okay then", "0343 6467"],
        &["453", "914", "880", "343", "646", "7"],
        &["it's 4539", "1488 is next", "and 0343 comes after", "6467 at the end"],
        &["45.39 14.88 03.43 64.67"],
        &["4,539 1,488 0343 6467"],
        &["£4539 1488 0343 6467"],
        &[
            "forty five thirty nine, fourteen eighty eight, have you got that, oh three forty three sixty four sixty seven",
        ],
    ] {
        let lines = check(turns);
        let said = &lines[..turns.len()];
        let shown: String =
            said.iter().flat_map(|line| runs(line.split(' '))).map(|run| run.digits).collect();
        assert!(shown.len() < 8, "{shown} of {turns:?}: {lines:?}");
        assert!(!lines.iter().any(|line| line.contains(" was: ")), "{lines:?}");
    }
}

#[test]
fn an_agent_who_reads_it_back_shows_no_more() {
    let lines = check(&[
        "customer: It's 4539 1488",
        "agent: So that's 4539 1488.",
        "customer: 0343 6467",
        "agent: and 0343 6467, thank you, that went through just fine",
        "agent: is there anything else that I can do for you today",
        "agent: well then I wish you a very nice evening indeed",
    ]);
    assert_eq!(lines[1], "So that's [digits-2].");
    assert_eq!(lines[2], "[card-1]");
    assert!(
        lines.iter().any(|line| line == "and [card-1], thank you, that went through just fine")
    );
    assert!(!lines.iter().any(|line| line.contains(" was: ")), "{lines:?}");
}

#[test]
fn other_numbers_of_a_call_do_not_add_up_to_a_card() {
    let turns = [
        "You charged me forty two pounds, two times.",
        "Yeah, it's six one four, two two nine, zero seven.",
        "My mobile is 07700 900123 and the postcode LS6 3HB",
        "I have two months left and pay £31.50 a month, 12 payments of it",
    ];
    assert_eq!(check(&turns), turns);
}

#[test]
fn partials_never_show_a_run() {
    let mut masker = Masker::default();
    let party = PartyId::from("p-1");
    assert_eq!(masker.partial(&party, "it's four five three nine one").as_str(), "it's ••••");
    masker.final_turn(&party, &TurnId::from("t-1"), &words("it's four five three nine"));
    assert_eq!(masker.partial(&party, "one four and").as_str(), "•••• and");
    assert_eq!(masker.partial(&party, "sorry one four and").as_str(), "sorry one four and");
}

#[test]
fn typed_text_is_masked_too() {
    assert_eq!(typed("pay with 4539 1488 0343 6467 today").as_str(), "pay with [card-1] today");
    assert_eq!(typed("is E-104 £31 a month").as_str(), "is E-104 £31 a month");
    for text in [
        "card:4539148803436467",
        "4539148803436467exp1226",
        "4539\n1488\n0343\n6467",
        "4539\t1488—0343_6467",
        "(4539)(1488)(0343)(6467)",
        "４５３９ １４８８ ０３４３ ６４６７",
        "£4539 1488 0343 6467",
        "45.39 14.88 03.43 64.67",
        "four five three nine 1488 0343 six four six seven",
    ] {
        let shown = typed(text);
        assert!(
            !shown.as_str().contains("1488") && !shown.as_str().contains("14.88"),
            "{shown:?} {text}"
        );
        assert!(shown.as_str().contains("[card-1]"), "{text}");
    }
}

fn card_number() -> impl Strategy<Value = String> {
    ("(4|51|37|6011|35[3-8])", proptest::collection::vec(0_u8..10, 16)).prop_map(
        |(issuer, rest)| {
            let mut number = issuer;
            number.extend(rest.iter().map(|digit| char::from(b'0' + digit)));
            number.truncate(15);
            let check = (0..10).map(|check| format!("{number}{check}")).find(|full| luhn(full));
            check.expect("one of ten check digits fits")
        },
    )
}

proptest! {
    #[test]
    fn no_way_of_saying_a_card_number_leaks_half_of_it(
        number in card_number(),
        groups in proptest::collection::vec((0_u8..4, 3_usize..6, 0_usize..6), 8),
    ) {
        const NAMES: [&str; 10] =
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        // What comes after a group; a bar begins a new turn.
        const AFTER: [&str; 6] =
            ["", "um", "did you get that", "|", "| hang on |", "| sorry it is hard to read this here |"];
        let mut said = String::from("so it is ");
        let mut rest = number.as_str();
        for (style, length, after) in groups {
            let (group, tail) = rest.split_at(length.min(rest.len()));
            rest = tail;
            if group.is_empty() {
                break;
            }
            let names: Vec<&str> =
                group.bytes().map(|digit| NAMES[usize::from(digit - b'0')]).collect();
            said.push_str(&match style {
                0 | 1 => group.to_owned(),
                2 => names.join(" "),
                _ => names.join(" um "),
            });
            said.push_str(&format!(" {} ", AFTER[after]));
        }
        let turns: Vec<&str> = said.split('|').map(str::trim).filter(|turn| !turn.is_empty()).collect();
        let lines = check(&turns);
        let shown: String = lines
            .iter()
            .filter(|line| !line.contains(" stays: "))
            .flat_map(|line| runs(line.split(' ')))
            .map(|run| run.digits)
            .collect();
        // PCI DSS 4.0, requirement 3.4.1: the issuer's digits and the last four may be seen.
        let half = (0..=shown.len().saturating_sub(8))
            .filter_map(|from| shown.get(from..from + 8))
            .any(|piece| number.contains(piece));
        let may_be_seen = (0..=shown.len().min(6)).any(|first| {
            let (issuer, last) = shown.split_at(first);
            last.len() <= 4 && number.starts_with(issuer) && number.ends_with(last)
        });
        prop_assert!((may_be_seen || !half) && shown.len() <= 10, "{shown} of {number} in {turns:?}: {lines:?}");
    }

    #[test]
    fn any_text_survives(text in "\\PC{0,60}") {
        let mut masker = Masker::default();
        let party = PartyId::from("p-1");
        masker.partial(&party, &text);
        masker.final_turn(&party, &TurnId::from("t-1"), &words(&text));
        typed(&text);
    }
}

fn luhn_run(text: &str) -> Option<String> {
    let mut digits = String::new();
    for c in text.chars().chain(['x']) {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '.' | '/' => {}
            _ => {
                let starts = 0..digits.len();
                let run = starts.flat_map(|at| (13..=19).map(move |length| (at, at + length)));
                let hit = run.filter_map(|(from, to)| digits.get(from..to)).find(|run| luhn(run));
                if let Some(hit) = hit {
                    return Some(hit.to_owned());
                }
                digits.clear();
            }
        }
    }
    None
}

/// Sentences with a secret each, and what of it may never be seen.
const SAID: [(&str, &[&str]); 12] = [
    ("the security code is 917 I think", &["917"]),
    ("your code is 482 913 and it is valid for an hour", &["482", "913"]),
    ("my one time passcode is four eight two nine one three okay", &["four eight", "nine one"]),
    ("the IBAN is GB82 WEST 1234 5698 7654 32 at the bank", &["WEST", "1234", "5698", "7654"]),
    ("my sort code is 20-11-53 and the account number 55779911 too", &["20-11", "5577"]),
    ("my social security number is 219-09-9999 since ever", &["219", "9999"]),
    ("the national insurance number is AB 12 34 56 C okay", &["12 34", "34 56"]),
    ("my password is fluffy22 and nothing else", &["fluffy22"]),
    ("I was born on the 3rd of May 1980 in Leeds", &["3rd", "1980"]),
    ("date of birth is 03/05/1980 and that is it", &["03/05", "1980"]),
    ("routing number 021000021 please", &["021000021"]),
    ("my driving licence is MORGA657054SM9IJ there", &["MORGA657054SM9IJ"]),
];

#[test]
fn what_is_secret_is_masked_and_the_rest_is_not() {
    for (text, hidden) in SAID {
        let line = &check(&[text])[0];
        for part in hidden {
            assert!(!line.contains(part), "{part} of {text}: {line}");
        }
        let rest = text.split(' ').next_back().unwrap_or_default();
        assert!(line.ends_with(rest) && line.contains('['), "{text}: {line}");
    }
    for text in [
        "The error code is 4829 and it does not go away",
        "my order number is 482913 from last week",
        "I forgot my password and the reset link is expired",
        "the password is wrong, it says",
        "my account number with you is 11779911",
        "I moved on 03/05/2019 and pay 45 pounds a month",
        "call me on 0161 496 0000 or write to ann@example.com",
        "Ann Smith from Leeds said so",
        "from 6_000..6_500 it is one,two and three/four",
    ] {
        assert_eq!(check(&[text])[0], text);
    }
}

#[test]
fn an_answer_is_masked_by_its_question_and_named_the_same_again() {
    assert_eq!(
        check(&[
            "agent: What are the three digits on the back?",
            "customer: It's 917.",
            "agent: And the verification code that we sent you?",
            "customer: 482 913",
            "agent: So that's four eight two nine one three?",
            "agent: What's your date of birth?",
            "customer: Third of May nineteen eighty.",
            "agent: And your memorable word?",
            "customer: Biscuit",
            "agent: I see two orders from 2024 here.",
        ]),
        [
            "What are the three digits on the back?",
            "It's [security_code-1].",
            "And the verification code that we sent you?",
            "[one_time_code-1]",
            "So that's [one_time_code-1]?",
            "What's your date of birth?",
            "[birth_date-1].",
            "And your memorable word?",
            "[password-1]",
            "I see two orders from 2024 here.",
        ]
    );
}

#[test]
fn a_masked_span_is_one_word_with_its_times() {
    let mut masker = Masker::default();
    let said = words("So (my IBAN: GB82 WEST 1234 5698 7654 32), yes");
    let masked = masker.final_turn(&PartyId::from("p-1"), &TurnId::from("t-1"), &said);
    assert_eq!(masked.text.as_str(), "So (my IBAN: [iban-1]), yes");
    let texts: Vec<&str> = masked.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(texts, ["So", "(my", "IBAN:", "[iban-1]),", "yes"]);
    assert_eq!((masked.words[3].start_ms, masked.words[3].end_ms), (900, 2_650));
}

#[test]
fn all_kinds_are_masked_where_they_are_wanted() {
    let mut masker = Masker::of(Kinds::EVERY);
    let mut say = |text: &str| {
        masker.final_turn(&"p-1".into(), &"t-1".into(), &words(text)).text.as_str().to_owned()
    };
    assert_eq!(
        say("My name is Ann Smith, call me on 0161 496 0000 or write to ann at example dot com."),
        "My name is [person-1], call me on [phone-1] or write to [email-1]."
    );
    assert_eq!(say("Smith is the name."), "[person-1] is the name.");
    assert_eq!(say("I live at 12 Abbey Road in London."), "I live at [address-1] in [place-1].");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_shows_a_card(text in "\\PC{0,80}", digits in "[0-9 ./x-]{0,60}") {
        for text in [&text, &digits, &format!("{text} my password is {digits} {text}")] {
            let mut masker = Masker::of(Kinds::EVERY);
            let party = PartyId::from("p-1");
            masker.partial(&party, text);
            let masked = masker.final_turn(&party, &TurnId::from("t-1"), &words(text));
            prop_assert_eq!(luhn_run(masked.text.as_str()), None);
            let mut masker = Masker::default();
            let masked = masker.typed_turn(&party, &TurnId::from("t-1"), text);
            prop_assert_eq!(luhn_run(masked.text.as_str()), None);
            let once = typed(text);
            prop_assert_eq!(luhn_run(once.as_str()), None);
            let twice = typed(once.as_str());
            prop_assert_eq!(twice.as_str(), once.as_str());
        }
    }

    #[test]
    fn however_a_turn_grows_no_part_of_a_secret_is_seen(which in 0..SAID.len(), before in "[a-z]{0,8}") {
        let (text, hidden) = SAID[which];
        let text = format!("{before} {text}");
        let masker = Masker::default();
        let all: Vec<&str> = text.split_whitespace().collect();
        for end in 1..=all.len() {
            let shown = masker.partial(&PartyId::from("p-1"), &all[..end].join(" "));
            for part in hidden {
                prop_assert!(!shown.as_str().contains(part), "{} of {:?}", part, shown.as_str());
            }
        }
    }
}
