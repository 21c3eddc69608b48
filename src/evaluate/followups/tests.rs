use super::*;

const CASES: &str = r#"
[[case]]
id = "a-right-and-a-wrong-one"
began = "2026-03-02T10:00[Europe/London]"
turns = """
agent: I'll call you on Thursday at two.
customer: I'll send you the form tomorrow.
"""
[[case.expect]]
turn = 1
by = "agent"
kind = "callback"
date = "2026-03-06"
time = "14:00"
[[case.expect]]
turn = 2
by = "customer"
kind = ["task", "meeting"]
date = "2026-03-03"

[[case]]
id = "nothing-is-promised"
began = "2026-03-02T10:00[Europe/London]"
turns = """
agent: I'll email it to you today.
customer: Thanks.
"""

[[case]]
id = "one-is-missed"
began = "2026-03-02T10:00[Europe/London]"
turns = """
agent: Goodbye.
"""
[[case.expect]]
turn = 1
by = "agent"
kind = "task"
"#;

fn open(text: &str) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cases.toml"), text).expect("written");
    Dataset::open(folder.path()).map_err(|error| error.to_string())
}

#[test]
fn counts_are_told_apart() {
    let dataset = open(CASES).expect("cases");
    let judged = judge(dataset.cases.iter());
    let all = Report::of(&judged, None).figures();
    assert_eq!((all.cases, all.expected, all.found, all.dated), (3, 3, 3, 2));
    // Two of three that were found are expected, and so are two of three that should be.
    assert!((all.precision - 2.0 / 3.0).abs() < 1e-9 && (all.recall - 2.0 / 3.0).abs() < 1e-9);
    assert!((all.kind_accuracy - 1.0).abs() < 1e-9 && (all.date_accuracy - 0.5).abs() < 1e-9);
    assert_eq!((all.wrong_dates, all.dated_for_nothing), (1, 1));
    let halves = [Half::Dev, Half::Test].map(|half| Report::of(&judged, Some(half)).figures());
    assert_eq!(halves[0].cases + halves[1].cases, 3);
}

#[test]
fn a_case_that_is_wrong_is_named() {
    let refused = |from: &str, to: &str| open(&CASES.replacen(from, to, 1)).expect_err(from);
    let check = |from: &str, to: &str, says: &str| {
        let error = refused(from, to);
        assert!(error.contains(says), "{error}");
    };
    check("turn = 2", "turn = 3", "case a-right-and-a-wrong-one: turn: there is no turn 3");
    check("by = \"agent\"", "by = \"nobody\"", "by: nobody is no role");
    check("kind = \"callback\"", "kind = \"letter\"", "letter is none of task, callback, meeting");
    check("id = \"one-is-missed\"", "id = \"nothing-is-promised\"", "another case with this id");
    check("agent: Goodbye.", "Goodbye.", "turn 1: is no line of role: words");
    check("time = \"14:00\"", "time = \"soon\"", "soon");
    check("began = ", "beginning = ", "cases.toml");
}
