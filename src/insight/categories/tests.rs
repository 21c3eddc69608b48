use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::trial::turns;
use super::*;
use crate::domain::{Evidence, Role, Turn};
use crate::insight::sentiment::Mood;

static SAMPLES: LazyLock<Arc<Categories>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("categories");
    Arc::new(Categories::open(&folder).expect("the sample rules are sound"))
});

fn samples() -> Arc<Categories> {
    Arc::clone(&SAMPLES)
}

fn rules(text: &str) -> Arc<Categories> {
    Arc::new(Categories::from_toml([("r.toml", text)]).expect("sound rules"))
}

fn lines(all: &[&str]) -> Vec<Line> {
    all.iter().map(|line| Line::parse(line).expect("a line")).collect()
}

fn matched(categories: &Arc<Categories>, all: &[&str]) -> Vec<Matched> {
    play(&mut Watch::new(categories, &BTreeMap::new()), &lines(all), false)
}

fn names(matched: &[Matched]) -> Vec<&str> {
    matched.iter().map(|one| one.category.category.as_str()).collect()
}

#[test]
fn the_sample_rules_pass_their_own_tests() {
    let categories = samples();
    assert!(categories.trials().len() >= 20 && categories.rules().len() >= 20);
    for trial in categories.trials() {
        assert_eq!(trial.run(&categories), Ok(()), "{} {}", trial.file, trial.name);
    }
}

#[test]
fn a_test_that_fails_says_what_it_found() {
    let categories = rules(
        r#"
[[rule]]
id = "a"
when = { said = "hello" }
[[rule]]
id = "b"
when = { said = "goodbye" }
[[test]]
name = "the wrong way round"
turns = ["customer: hello"]
expect = ["b"]
never = ["a"]
"#,
    );
    let failed = Failed { missing: vec!["b".into()], unwanted: vec!["a".into()] };
    assert_eq!(categories.trials()[0].run(&categories), Err(failed));
}

#[test]
fn a_match_says_what_it_rests_on() {
    let categories = rules(
        r#"
[[rule]]
id = "leaving"
title = "May leave"
by = "customer"
when = { all = [{ near = ["cancel*", "contract"] }, { attribute = "tier", is = "gold" }] }
alert = { severity = "warning", to = ["agent"], message = "Ask why." }
"#,
    );
    let mut watch = Watch::new(&categories, &BTreeMap::from([("tier".into(), "Gold".into())]));
    let all =
        lines(&["agent: cancel the contract?", "customer: Été — I'm CANCELLING my contract."]);
    let found = play(&mut watch, &all, false);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(one.category.turn_id, Some("t-2".into()));
    let said = one.category.evidence.iter().map(|evidence| match evidence {
        Evidence::Said(said) => (said.start_chars, said.end_chars, said.quote.as_str().to_owned()),
        Evidence::Signal { name, value, .. } => (0, 0, format!("{name}={value}")),
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            (10, 20, "CANCELLING".to_owned()),
            (24, 32, "contract".to_owned()),
            (0, 0, "attribute.tier=Gold".to_owned())
        ]
    );
    let alert = one.alert.as_ref().expect("an alert");
    assert_eq!((alert.title.as_str(), alert.message.as_deref()), ("May leave", Some("Ask why.")));
    assert_eq!(alert.to, [Role::Agent]);
}

#[test]
fn a_rule_matches_once_or_after_its_cool_down() {
    let once = rules("[[rule]]\nid = \"a\"\nwhen = { said = \"hello\" }");
    assert_eq!(matched(&once, &["customer: hello", "agent: hello"]).len(), 1);
    let again = rules(
        "[[rule]]\nid = \"a\"\nrepeat = true\ncooldown_s = 10\nwhen = { said = \"hello\", times = 2 }",
    );
    let hellos = |n: usize| matched(&again, &vec!["customer: hello"; n]);
    assert_eq!(hellos(1).len(), 0);
    // A hello each 1.4 s: the second, 10 s of quiet, then two more.
    let found = hellos(18);
    assert_eq!(found.iter().map(|one| one.category.times).collect::<Vec<_>>(), [1, 2]);
    let turns: Vec<_> = found.into_iter().filter_map(|one| one.category.turn_id).collect();
    assert_eq!(turns, ["t-2".into(), "t-11".into()]);
}

#[test]
fn windows_forget() {
    let of = |window: &str| {
        rules(&format!(
            "[[rule]]\nid = \"a\"\nwhen = {{ all = [{{ said = \"one\", {window} }}, {{ said = \"two\" }}] }}"
        ))
    };
    let talk = ["customer: one", "agent: well", "agent: well", "customer: two"];
    for (window, holds) in [
        ("last_turns = 3", false),
        ("last_turns = 4", true),
        ("last_s = 4", false),
        ("last_s = 5", true),
        ("first_s = 1", true),
        ("times = 2", false),
    ] {
        assert_eq!(!matched(&of(window), &talk).is_empty(), holds, "{window}");
    }
    assert!(matched(&of("first_s = 1"), &["agent: well now then", "customer: one two"]).is_empty());
}

#[test]
fn what_is_missing_counts_when_its_time_is_over() {
    let categories = rules(
        "[[rule]]\nid = \"a\"\nwhen = { all = [{ said = \"help\" }, { not = { said = \"sure\", last_turns = 2 } }] }",
    );
    let talk = ["agent: sure", "customer: help me", "agent: hm"];
    let found = matched(&categories, &talk);
    assert_eq!(found[0].category.turn_id, Some("t-3".into()), "the `sure` was too long ago then");
}

#[test]
fn intents_may_come_late_and_must_be_sure() {
    let categories = rules(
        "[[rule]]\nid = \"a\"\nwhen = { intent = \"cancel\", probability = 0.7, by = \"customer\" }",
    );
    let seen = |probability, abstained| crate::domain::IntentSeen {
        ranked: vec![crate::domain::Intent { label: "cancel".into(), probability }],
        abstained,
    };
    let mut watch = Watch::new(&categories, &BTreeMap::new());
    for turn in turns(&lines(&["customer: bye", "agent: bye"])) {
        assert!(watch.take(&turn, None, None).is_empty());
    }
    assert!(watch.intent(&"t-1".into(), &seen(0.6, false)).is_empty());
    assert!(watch.intent(&"t-1".into(), &seen(0.9, true)).is_empty());
    assert!(watch.intent(&"t-2".into(), &seen(0.9, false)).is_empty(), "the agent's");
    assert!(watch.intent(&"t-3".into(), &seen(0.9, false)).is_empty(), "no such turn");
    assert_eq!(names(&watch.intent(&"t-1".into(), &seen(0.7, false))), ["a"]);
}

#[test]
fn attributes_may_come_late() {
    let categories = rules(
        "[[rule]]\nid = \"a\"\nwhen = { all = [{ said = \"hello\" }, { attribute = \"value\", at_least = 10 }] }",
    );
    let mut watch = Watch::new(&categories, &BTreeMap::new());
    assert!(watch.attribute("value", "nine").is_empty());
    play(&mut watch, &lines(&["customer: hello"]), false);
    assert!(watch.attribute("value", "9.5").is_empty());
    assert_eq!(names(&watch.attribute("value", "10")), ["a"]);
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let text = r#"
[[rule]]
id = "Bad Name"
when = { said = ["*", "fine"] }

[[rule]]
id = "a"
titel = "A"
by = "parrot"
when = { any = [{ said = "x1", within_words = 3 }, { near = ["one"] }, {}, { silence_ms = -1 }, { said = "yes", ended = true }] }

[[rule]]
id = "a"
cooldown_s = 5
when = { not = { said = "hello" } }
alert = { severity = "loud", to = ["customer"] }

[[test]]
name = "t"
turns = ["hello"]
expect = ["b"]
"#;
    let Err(error) = Categories::from_toml([("r.toml", text)]) else { panic!("it is wrong") };
    let told = error.to_string();
    for part in [
        "r.toml:3:6: rule[0].id: takes small letters",
        "r.toml:4:18: rule[0].when.said[0]: \"*\" has no word",
        "r.toml:8:1: rule[1].titel: is unknown; did you mean title?",
        "r.toml:9:6: rule[1].by: write customer, agent",
        "rule[1].when.any[0].within_words: is unknown",
        "rule[1].when.any[1].near: write two to 4",
        "rule[1].when.any[2]: says nothing to look for",
        "rule[1].when.any[3].silence_ms: write a whole number from 1 to 3600000",
        "rule[1].when.any[4]: has said and ended",
        "r.toml:13:6: rule[2].id: a is taken by a rule in r.toml:7",
        "r.toml:14:14: rule[2].cooldown_s: needs repeat = true",
        "rule[2].when: holds without anything happening",
        "rule[2].alert.severity: write info, warning or critical",
        "rule[2].alert.to[0]: write agent or supervisor",
        "rule[2].alert.title: is missing",
        "r.toml:20:10: test[0].turns[0]: write customer",
        "r.toml:21:11: test[0].expect[0]: \"b\" is no rule",
    ] {
        assert!(told.contains(part), "{part}\n---\n{told}");
    }
    let Err(error) = Categories::from_toml([("r.toml", "[[rule]\n")]) else { panic!("no TOML") };
    assert!(error.to_string().starts_with("r.toml:1:"), "{error}");
}

#[test]
fn json_of_the_same_shape_is_the_same() {
    let json =
        serde_json::json!({"rule": [{"id": "a", "when": {"said": ["hello"], "by": "agent"}}]});
    let categories = Arc::new(Categories::from_json("body", &json).expect("sound"));
    assert_eq!(names(&matched(&categories, &["customer: hello", "agent: hello"])), ["a"]);
    let json = serde_json::json!({"rule": [{"id": "a", "when": {"said": null}}, 7]});
    let Err(error) = Categories::from_json("body", &json) else { panic!("it is wrong") };
    assert_eq!(
        error.to_string(),
        "body: rule[0].when.said: is of no use here; write text or a list of texts\n\
         body: rule[1]: is a number; write a table"
    );
}

#[test]
fn a_missing_folder_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let Err(error) = Categories::open(&folder.path().join("none")) else { panic!("none there") };
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(Categories::open(folder.path()).expect("an empty one").rules().is_empty());
}

#[test]
fn what_is_kept_does_not_grow_with_the_conversation() {
    let categories = samples();
    let mut watch = Watch::new(&categories, &BTreeMap::new());
    let talk = lines(&[
        "agent: manager, I guarantee, scam",
        "customer: manager, but the pendant and the scam, ridiculous",
    ]);
    let mut most = 0;
    for _ in 0..500 {
        play(&mut watch, &talk, false);
        most = most.max(watch.facts());
    }
    assert!(most <= 12, "{most} facts");
}

/// Words that the sample rules listen for, with others between them.
fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "cancel",
        "cancelling",
        "my",
        "contract",
        "manager",
        "speak",
        "to",
        "your",
        "ombudsman",
        "don't",
        "want",
        "can't",
        "transfer",
        "appointment",
        "the",
        "refund",
        "I'll",
        "I've",
        "fucking",
        "useless",
        "brilliant",
        "ridiculous",
        "call",
        "you",
        "back",
        "guarantee",
        "i",
        "pendant",
        "gift",
        "cards",
        "recorded",
        "is",
        "Été",
        "4711",
        "—",
        "complaint",
    ]);
    prop::collection::vec(word, 0..14).prop_map(|words| words.join(" "))
}

fn talk() -> impl Strategy<Value = Vec<Line>> {
    let role = prop::sample::select(vec![Role::Customer, Role::Agent, Role::Bot, Role::Mixed]);
    let intent = prop::option::weighted(0.2, (Just("cancel".to_owned()), 0.0f32..1.0));
    let line = (role, text(), 0u64..40_000, 0u64..60_000, intent);
    prop::collection::vec(line, 0..25).prop_map(|lines| {
        let mut at_ms = 0u64;
        let line = |(role, text, step, lasts_ms, intent): (_, _, u64, _, _)| {
            // Finals may come in another order than people spoke in.
            at_ms = (at_ms + step).saturating_sub(5_000);
            Line { role, text, at_ms: Some(at_ms), lasts_ms: Some(lasts_ms), intent }
        };
        lines.into_iter().map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn looking_at_what_changed_finds_what_looking_at_all_does(talk in talk(), gold in any::<bool>()) {
        let categories = samples();
        let tier = if gold { "gold" } else { "basic" };
        let attributes = BTreeMap::from([("tier".into(), tier.into()), ("channel".into(), "voice".into())]);
        let mut quick = Watch::new(&categories, &attributes);
        let mut thorough = Watch::new(&categories, &attributes);
        thorough.looks_at_all = true;
        prop_assert_eq!(play(&mut quick, &talk, true), play(&mut thorough, &talk, true));
    }

    #[test]
    fn going_on_is_the_same_as_beginning_anew(talk in talk(), cut in 0usize..25) {
        let categories = samples();
        let all = turns(&talk);
        let (mut mood, mut watch) = (Mood::default(), Watch::new(&categories, &BTreeMap::new()));
        let step = |watch: &mut Watch, mood: &mut Mood, turn: &Turn| {
            let sentiment = mood.take(turn);
            watch.take(turn, sentiment.as_ref(), None)
        };
        let whole: Vec<_> = all.iter().flat_map(|turn| step(&mut watch, &mut mood, turn)).collect();
        // As after a restart: the turns before are taken once more, and nothing is told of them.
        let (mut mood, mut watch) = (Mood::default(), Watch::new(&categories, &BTreeMap::new()));
        let cut = cut.min(all.len());
        let before: usize = all[..cut].iter().map(|turn| step(&mut watch, &mut mood, turn).len()).sum();
        let after: Vec<_> = all[cut..].iter().flat_map(|turn| step(&mut watch, &mut mood, turn)).collect();
        prop_assert_eq!(&whole[before..], &after[..]);
    }

    #[test]
    fn the_automaton_finds_what_plain_looking_finds(text in text()) {
        let categories = samples();
        let words = crate::insight::words::Words::of(&text);
        prop_assert_eq!(categories.scanner.scan(&words), categories.scanner.scan_plainly(&words));
    }

    #[test]
    fn any_text_is_taken_and_offsets_are_its_own(texts in prop::collection::vec("(\\PC|cancel |manager|speak to |'|\u{2019}| |\u{130}|\u{1c5}){0,30}", 1..6)) {
        let categories = samples();
        let talk: Vec<Line> = texts.iter().map(|text| Line {
            role: Role::Customer, text: text.clone(), at_ms: None, lasts_ms: None, intent: None,
        }).collect();
        let turns = turns(&talk);
        for one in play(&mut Watch::new(&categories, &BTreeMap::new()), &talk, true) {
            for evidence in one.category.evidence {
                if let Evidence::Said(said) = evidence {
                    let turn = turns.iter().find(|turn| turn.id == said.turn_id).expect("a turn of it");
                    let quote: String = turn.text.as_str().chars().skip(said.start_chars)
                        .take(said.end_chars - said.start_chars).collect();
                    prop_assert_eq!(quote.as_str(), said.quote.as_str());
                    prop_assert!(!quote.is_empty());
                }
            }
        }
    }

    #[test]
    fn any_settings_are_answered(text in "(\\PC|\\[\\[rule\\]\\]\n|id = \"a\"\n|when = \\{ said = \"x y\" \\}\n|\n|\\[|\\{|=|\"){0,20}") {
        let _ = Categories::from_toml([("r.toml", text.as_str())]);
    }
}
