use super::*;
use crate::routing::simulate::{Comparison, Policy, Replay, Settings, Source};

const HEADER: &str = "call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time_s,q_start,q_exit,q_time_s,outcome,ser_start,ser_exit,ser_time_s,server";

/// Days with a call each half minute, which two agents share.
fn month(days: std::ops::Range<u32>) -> String {
    let mut text = format!("{HEADER}\n");
    for day in days {
        for call in 0..120_u32 {
            let (minute, second, agent) = (call / 2, call % 2 * 30, call % 2 + 1);
            text.push_str(&format!(
                "{call},0,0,PS,1999-01-{:02},9:{minute:02}:{second:02},9:{minute:02}:{second:02},0,0:00:00,0:00:00,0,AGENT,9:{minute:02}:{second:02},9:{minute:02}:{second:02},{},S0{agent}\n",
                day + 1,
                40 * agent,
            ));
        }
    }
    text
}

#[test]
fn a_folder_is_read_as_one_and_its_figures_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("calls_a.csv"), month(0..2)).expect("written");
    std::fs::write(folder.path().join("calls_b.csv"), month(2..3)).expect("written");
    std::fs::write(folder.path().join("README.md"), "not calls").expect("written");
    let dataset = Dataset::technion(folder.path()).expect("sound");
    assert_eq!((dataset.history.days.len(), dataset.sha256.len()), (3, 64));
    let settings = Settings { target_s: 20.0, accuracy: 0.85, load: Some(0.9), seed: 1 };
    let replay = Replay::new(&dataset.history, settings, None);
    assert!((replay.load(2) - 0.9).abs() < 0.01, "{}", replay.load(2));
    let source = Source::Replay(&replay, 1);
    let comparison =
        Comparison::of(&source, &[Policy::Context], Policy::Skill, &|| ()).expect("a comparison");
    let figures = figures(&[AtLoad { load: Some(0.9), comparison }]);
    let at = &figures["loads"][0];
    assert_eq!((at["runs"].as_u64(), at["calls"].as_u64()), (Some(3), Some(360)));
    for metric in
        ["service_level", "abandonment", "mean_wait_s", "first_contact_resolution", "occupancy"]
    {
        assert!(at["policies"]["skill"][metric]["mean"].is_f64(), "{metric}");
        assert!(at["policies"]["context"]["gain"][metric]["low"].is_f64(), "{metric}");
    }
    assert!(figures["context_against_baseline"][0]["better"].is_boolean());
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Dataset::technion(folder.path()).map(|_| ()).expect_err("no calls");
    assert!(error.to_string().contains("no file calls_"), "{error}");
    let path = folder.path().join("log.csv");
    std::fs::write(&path, "arrival,intent,abandoned\nnever,x,0\n").expect("written");
    let error = Dataset::own_log(&path).map(|_| ()).expect_err("a wrong line").to_string();
    assert!(error.contains("log.csv: line 2"), "{error}");
    std::fs::write(folder.path().join("calls_a.csv"), month(0..1)).expect("written");
    std::fs::write(folder.path().join("calls_b.csv"), "a,b\n1,2\n").expect("written");
    let error =
        Dataset::technion(folder.path()).map(|_| ()).expect_err("other columns").to_string();
    assert!(error.contains("calls_b.csv"), "{error}");
}
