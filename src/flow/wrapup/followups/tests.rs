use jiff::civil::{date, time};
use proptest::prelude::*;

use super::*;
use crate::domain::{FollowUpKind, Party, Proof, Redacted, Role};

fn turns(lines: &str, language: &str) -> Vec<Turn> {
    let lines = lines.lines().filter_map(|line| line.trim().split_once(": ")).enumerate();
    lines
        .map(|(number, (role, text))| {
            let role = Role::parse(role).expect("a role");
            Turn {
                id: format!("t-{}", number + 1).into(),
                party: Party { id: role.as_str().into(), role, name: None },
                start_ms: number as u64 * 6_000,
                end_ms: number as u64 * 6_000 + 4_000,
                text: Redacted::vouched(text),
                display_text: None,
                words: Vec::new(),
                mean_logprob: None,
                language: language.to_owned(),
            }
        })
        .collect()
}

/// A Monday, ten in the morning.
fn began() -> Zoned {
    date(2026, 3, 2).at(10, 0, 0, 0).in_tz("Europe/London").expect("a time")
}

/// `callback of agent from t-1: 2026-03-05 14:00-16:00`
fn found(lines: &str) -> Vec<String> {
    let shown = |one: &FollowUp| {
        let Some(Proof::Turn(cited)) = one.sentence.proofs.first() else {
            panic!("a turn is cited")
        };
        let due = one.due.as_ref();
        let day = due.and_then(|due| due.date).map_or("?".to_owned(), |day| day.to_string());
        let hour = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
        let from =
            due.and_then(|due| due.time).map_or(String::new(), |time| format!(" {}", hour(time)));
        let upto =
            due.and_then(|due| due.until).map_or(String::new(), |time| format!("-{}", hour(time)));
        let by = if due.is_some_and(|due| due.is_limit) { "by " } else { "" };
        let (kind, role) = (one.kind.as_str(), one.promised_by.as_str());
        format!("{kind} of {role} from {}: {by}{day}{from}{upto}", cited.turn_id)
    };
    follow_ups(&turns(lines, "en"), &began()).iter().map(shown).collect()
}

#[test]
fn offers_and_requests_count_when_the_other_side_agrees() {
    let offered = "agent: Shall I book the engineer for Thursday at nine?\ncustomer: ";
    assert_eq!(
        found(&format!("{offered}Yes please.")),
        ["meeting of agent from t-1: 2026-03-05 09:00"]
    );
    for answer in ["No, I'm away.", "Let me check with my wife.", "What does it cost?"] {
        assert_eq!(found(&format!("{offered}{answer}")), [""; 0], "{answer}");
    }
    assert_eq!(
        found(&format!("{offered}Friday would be better.\nagent: Okay, Friday it is.")),
        ["meeting of agent from t-1: 2026-03-06 09:00"]
    );
    let asked = "customer: Can you call me back on Thursday at three?\nagent: ";
    assert_eq!(
        found(&format!("{asked}Of course.")),
        ["callback of agent from t-1: 2026-03-05 15:00"]
    );
    assert_eq!(found(&format!("{asked}I'm afraid we don't do that.")), [""; 0]);
}

#[test]
fn what_depends_or_is_told_by_others_is_no_promise() {
    for lines in [
        "agent: If it goes off again, we'll send an engineer tomorrow.",
        "agent: I'll send an engineer tomorrow if it goes off again.",
        "agent: Send us the form and we'll refund you by Friday.",
        "agent: I can't promise that they'll come on Friday.",
        "agent: Hopefully it'll be sent tomorrow.",
        "agent: We won't call you on Friday.",
        "customer: They said they'll call me on Friday.",
        "customer: I was told I'd get a call on Friday.",
        "agent: I'll just put you on hold for two minutes.",
        "agent: Your price will go up on the first of April.",
        "customer: My daughter's coming on Sunday.",
    ] {
        assert_eq!(found(lines), [""; 0], "{lines}");
    }
    assert_eq!(
        found("agent: I'll ring you tomorrow if that's okay."),
        ["callback of agent from t-1: 2026-03-03"]
    );
}

#[test]
fn a_day_is_taken_from_what_was_spoken_of_only_if_it_is_one() {
    let asked = "agent: Would Thursday suit you?\ncustomer: ";
    let then = "\nagent: Okay, I'll ring you at two then.";
    assert_eq!(
        found(&format!("{asked}Thursday's good.{then}")),
        ["callback of agent from t-3: 2026-03-05 14:00"]
    );
    assert_eq!(
        found(&format!("{asked}No, Friday.{then}")),
        ["callback of agent from t-3: 2026-03-06 14:00"]
    );
    // Nothing else was spoken of, so it is today.
    assert_eq!(
        found("agent: I'll ring you at two."),
        ["callback of agent from t-1: 2026-03-02 14:00"]
    );
    let broke = "customer: It went off again on Sunday.\nagent: I'll ring you at two.";
    assert_eq!(found(broke), ["callback of agent from t-2: ? 14:00"]);
    for lines in [
        "customer: Can you do next week?\nagent: I'll call you on Wednesday.",
        "customer: I'm on holiday until the seventeenth.\nagent: I'll call you on Wednesday then.",
        "agent: I'll send you the details of the appointment on Wednesday.",
        "agent: I'll call you on Wednesday. Sorry, the other one.",
    ] {
        assert!(found(lines)[0].ends_with(": ?"), "{lines}: {:?}", found(lines));
    }
}

#[test]
fn the_last_word_stands() {
    let moved = "agent: I'll call you on Thursday, no wait, Friday between two and four.";
    assert_eq!(found(moved), ["callback of agent from t-1: 2026-03-06 14:00-16:00"]);
    let refused =
        "agent: I'll call you on Monday week.\ncustomer: Actually don't call me, I'll be away.";
    assert_eq!(found(refused), [""; 0]);
    let twice = "agent: I'll call you on Wednesday at four.\ncustomer: Okay.\n\
         agent: So I'll call you on Wednesday.";
    assert_eq!(found(twice), ["callback of agent from t-3: 2026-03-04 16:00"]);
    let other_hour = "agent: I'll call you tomorrow at ten.\ncustomer: Eleven's better.";
    assert_eq!(found(other_hour), ["callback of agent from t-1: 2026-03-03"]);
    let instead = "agent: I'll post it. Scratch that, I'll email it to you today.";
    assert_eq!(found(instead), ["task of agent from t-1: 2026-03-02"]);
    let brought = "agent: Your engineer is booked for the eleventh, shall I bring that forward to tomorrow?\n\
         customer: Yes please.";
    assert_eq!(found(brought), ["meeting of agent from t-1: 2026-03-03"]);
}

#[test]
fn without_marks_each_promise_has_its_own_day() {
    let lines = "agent: okay so i'll cancel the old one today and i'll send you the new documents tomorrow \
         and then i will phone you on thursday at half ten if i get no answer i'll leave a message";
    assert_eq!(
        found(lines),
        [
            "task of agent from t-1: 2026-03-02",
            "task of agent from t-1: 2026-03-03",
            "callback of agent from t-1: 2026-03-05 10:30",
        ]
    );
}

#[test]
fn a_phrase_of_a_turn_is_resolved_in_its_language() {
    let turns = turns("agent: Ich rufe Sie am Donnerstag um halb elf an.", "de");
    let due = due_in(&turns[0], "Donnerstag um halb elf", &began()).expect("a day");
    assert_eq!((due.date, due.time), (Some(date(2026, 3, 5)), Some(time(10, 30, 0, 0))));
    assert_eq!(due_in(&turns[0], "Freitag", &began()), None);
    let [one] = &follow_ups(&turns, &began())[..] else { panic!("one promise") };
    assert_eq!(one.kind, FollowUpKind::Callback);
}

proptest! {
    /// Quotations are slices of their turns, whatever was said.
    #[test]
    fn whatever_was_said_is_quoted_word_for_word(
        said in proptest::collection::vec(
            ("(customer|agent|bot)", "(I'll |we will |if |and |shall I |call you |send it |tomorrow |on Friday |at two |no wait |yes |no |je vous rappelle |ich rufe Sie |—|@a |'|\\PC|[.,!?] ){0,24}", "(en|de|fr|es|xx)"),
            0..8,
        ),
    ) {
        let mut all = Vec::new();
        for (role, text, language) in &said {
            all.extend(turns(&format!("{role}: {}", text.replace('\n', " ")), language));
        }
        for (number, turn) in all.iter_mut().enumerate() {
            turn.id = format!("t-{number}").into();
        }
        for one in follow_ups(&all, &began()) {
            let Some(Proof::Turn(cited)) = one.sentence.proofs.first() else { panic!("a turn is cited") };
            let turn = all.iter().find(|turn| turn.id == cited.turn_id).expect("the turn exists");
            let length = cited.end_chars - cited.start_chars;
            let slice: String = turn.text.as_str().chars().skip(cited.start_chars).take(length).collect();
            prop_assert_eq!(slice.as_str(), cited.quote.as_str());
            prop_assert!(!slice.trim().is_empty());
        }
    }
}
