use std::sync::Arc;

use clap::Parser as _;
use jiff::Timestamp;

use super::*;
use crate::domain::{
    Assignment, Channel, ConversationId, ConversationStarted, Direction, EventBody, Feature,
    FeatureValue, Intent, IntentSeen, NewEvent, RoutingMode, TenantId, TurnIntent, WorkMoved,
    WorkOffered, WorkStep,
};
use crate::routing::context::name;
use crate::store::{SqliteStore, Store as _};

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(subcommand)]
    command: RouteCommand,
}

fn ran(args: &[&str]) -> Result<String, String> {
    done("simulate", args)
}

fn done(command: &str, args: &[&str]) -> Result<String, String> {
    let words = ["route", command].into_iter().chain(args.iter().copied());
    let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    run(&line.command, &mut out).map_err(|failure| failure.message)?;
    Ok(String::from_utf8(out).expect("text"))
}

fn last_line(out: &str) -> Value {
    serde_json::from_str(out.lines().last().expect("a line")).expect("JSON")
}

#[test]
fn the_sample_is_compared_at_each_load_and_plotted() {
    let folder = tempfile::tempdir().expect("a folder");
    let plots = folder.path().join("new").join("plots");
    let svg = plots.to_str().expect("a path");
    let out =
        ran(&["--load", "0.9,1.0", "--seeds", "2", "--policies", "fifo,context", "--svg", svg])
            .expect("done");
    assert!(out.contains("load 0.90: 2 runs") && out.contains("load 1.00: 2 runs"), "{out}");
    assert!(out.contains("context answers more in time than skill"), "{out}");
    let line = last_line(&out);
    assert_eq!(line["data_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(line["loads"].as_array().map(Vec::len), Some(2));
    let policies = line["loads"][1]["policies"].as_object().expect("policies");
    assert_eq!(policies.keys().collect::<Vec<_>>(), ["context", "fifo", "skill"]);
    assert!(policies["context"]["gain"]["service_level"]["low"].is_f64());
    for name in ["service_level.svg", "gain-0.90.svg", "classes-1.00.svg"] {
        let plot = std::fs::read_to_string(plots.join(name)).expect("a plot");
        assert!(roxmltree::Document::parse(&plot).is_ok(), "{name}");
    }
}

#[test]
fn a_measured_confusion_replaces_the_even_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let scenario = include_str!("../../../routing/scenarios/equal-agents.toml");
    let scenario = write("one.toml", scenario);
    let fits = write("fits.json", r#"{"labels": ["any", "other"], "counts": [[8, 2], [1, 9]]}"#);
    let out = ran(&["--scenario", &scenario, "--confusion", &fits, "--seeds", "2", "--json"])
        .expect("done");
    assert_eq!(out.lines().count(), 1, "only JSON");
    let line = last_line(&out);
    assert_eq!(
        (line["intents_right"].as_f64(), line["classes_right"].as_f64()),
        (Some(0.85), Some(0.8))
    );
    let other = write("other.json", r#"{"labels": ["x"], "counts": [[1]]}"#);
    let error = ran(&["--scenario", &scenario, "--confusion", &other]).expect_err("no such label");
    assert!(error.contains("the intent any"), "{error}");
}

#[test]
fn our_own_log_is_played_with_the_agents_of_a_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log.csv");
    let mut text = String::from("arrival,intent,abandoned,handling_s,wait_s\n");
    for day in 1..4 {
        for minute in 0..60 {
            text.push_str(&format!("2026-11-0{day}T09:{minute:02}:00,cash,0,{},3\n", 100 + minute));
        }
    }
    std::fs::write(&log, text).expect("written");
    let log = log.to_str().expect("a path");
    let error = ran(&["--log", log]).expect_err("nobody answers");
    assert!(error.contains("--scenario"), "{error}");
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/routing/scenarios/bank-60-agents.toml");
    let out = ran(&["--log", log, "--scenario", scenario]).expect("done");
    let line = last_line(&out);
    assert_eq!(
        (line["loads"][0]["runs"].as_u64(), line["loads"][0]["calls"].as_u64()),
        (Some(3), Some(180))
    );
}

#[test]
fn wrong_arguments_say_what_is_wanted() {
    for (args, part) in [
        (&["--load", "none"][..], "0.01 to 10"),
        (&["--policies", "luck"], "possible values"),
        (&["--seeds", "0"], "1..=100000"),
        (&["--scenario", "missing.toml"], "missing.toml can't be read"),
        (&["--technion", "a", "--log", "b"], "cannot be used with"),
    ] {
        let error = ran(args).expect_err("a mistake");
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn too_few_calls_are_said_to_be_too_few() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log.csv");
    let mut text = String::from("arrival,intent,abandoned,handling_s,wait_s\n");
    for minute in 0..20 {
        text.push_str(&format!("2026-11-01T09:{minute:02}:00,cash,0,100,3\n"));
    }
    std::fs::write(&log, text).expect("written");
    let log = log.to_str().expect("a path");
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/routing/scenarios/bank-60-agents.toml");
    let out = ran(&["--log", log, "--scenario", scenario]).expect("done");
    assert!(out.contains("fewer than 100 calls are too few to say"), "{out}");
    assert!(out.contains("too few\n") && !out.contains("NaN %"), "{out}");
    let line = last_line(&out);
    let claim = &line["context_against_baseline"][0];
    for told in ["service_level_gain", "better", "worst_class", "worst_class_change"] {
        assert!(claim[told].is_null(), "{told}: {claim}");
    }
    let context = &line["loads"][0]["policies"]["context"];
    assert!(context["gain"]["service_level"].is_null(), "{context}");
    assert!(context["classes"][0]["change"].is_null(), "{context}");
    assert!(context["service_level"]["mean"].is_f64(), "what was measured is told: {context}");
}

/// A log with three days of calls; on each, one customer gives up, and one call isn't over on the last.
async fn three_days(folder: &std::path::Path) {
    let store = SqliteStore::open(folder, Arc::new(|_| ())).await.expect("a log");
    let tenant = TenantId::from("default");
    for call in 0..61_u64 {
        let at_ms = 1_795_000_000_000 + call / 20 * 86_400_000 + call % 20 * 60_000;
        let (item, id) = (format!("i-{call}"), ConversationId::from(format!("c-{call}")));
        let feature = |name: &'static str, value| Feature {
            name: name.into(),
            value,
            source: "api".into(),
            as_of_ms: at_ms,
        };
        let offered = WorkOffered {
            item: item.as_str().into(),
            conversation: Some(id.clone()),
            external_id: None,
            workstream: "calls".into(),
            features: vec![feature(name::VALUE, FeatureValue::Number(2.0))],
            intents: Vec::new(),
            preferred: Vec::new(),
            by: None,
            at_ms,
        };
        let moved = |step, at_ms| {
            let moved = WorkMoved { item: item.as_str().into(), step, by: None, at_ms };
            EventBody::RouteMoved(Box::new(moved))
        };
        let understood = |label: &str| {
            let ranked = vec![Intent { label: label.into(), probability: 0.9 }];
            let seen = IntentSeen { ranked, abstained: false };
            EventBody::IntentSeen(Box::new(TurnIntent { turn_id: "t-1".into(), seen }))
        };
        let begun = ConversationStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            external_id: None,
            parties: Vec::new(),
            attributes: Default::default(),
        };
        let mut bodies = vec![
            EventBody::ConversationStarted(begun),
            EventBody::RouteOffered(Box::new(offered)),
            understood("refund"),
        ];
        if call % 20 == 7 {
            bodies.push(moved(WorkStep::Ended, at_ms + 45_500));
        } else {
            let assigned = Assignment {
                decision: None,
                item: item.as_str().into(),
                queue: "billing".into(),
                agent: ["Emma", "Bo"][call as usize % 2].into(),
                mode: RoutingMode::Active,
                policy: "context".into(),
                epoch: 1,
                recommended: None,
                by: None,
                reason: String::new(),
                day_profiles: Vec::new(),
                waited_ms: 10_000,
                at_ms: at_ms + 10_000,
            };
            bodies.push(EventBody::RouteAssigned(Box::new(assigned)));
            // What is understood later, nobody could go by.
            bodies.push(understood("cancel"));
            if call < 60 {
                bodies.push(moved(WorkStep::Ended, at_ms + 70_000));
                bodies.push(moved(WorkStep::Released, at_ms + 100_000));
            }
        }
        let events = bodies.into_iter().map(|body| NewEvent::at(Timestamp::UNIX_EPOCH, body));
        store.append(&tenant, &id, events.collect()).await.expect("written");
    }
    store.close().await;
}

#[test]
fn what_a_service_has_routed_is_exported_and_played_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_str().expect("a path");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let empty = done("export", &["--store", store]).expect_err("no log");
    assert!(empty.contains(store), "{empty}");
    runtime.block_on(three_days(folder.path()));
    let csv = done("export", &["--store", store]).expect("rows");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 61, "a head, and what is over");
    assert_eq!(lines[1], "2026-11-18T11:06:40,refund,2,90.0,0,10.0,Emma");
    assert_eq!(lines[8], "2026-11-18T11:13:40,refund,2,,1,45.5,");
    let file = folder.path().join("routed.csv");
    std::fs::write(&file, &csv).expect("written");
    let out = ran(&["--log", file.to_str().expect("a path"), "--policies", "context"]);
    assert!(out.expect("played").contains("3 runs"), "each day is one");
    let stranger = done("export", &["--store", store, "--tenant", "other"]);
    assert!(stranger.expect_err("nothing is theirs").contains("--tenant"));
}
