//! The bars of finding promises and their dates, on the written cases and the demo calls.

use std::path::Path;

use backchannel::evaluate::followups::{Dataset, Report, judge};

#[test]
fn promises_are_found_and_no_date_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/followups");
    let dataset = Dataset::open(&folder).expect("the cases");
    assert!(dataset.cases.len() >= 300, "{}", dataset.cases.len());
    let judged = judge(dataset.cases.iter());
    let all = Report::of(&judged, None).figures();
    assert!(all.f1 >= 0.85, "{all:?}");
    assert_eq!(all.wrong_dates, 0, "{all:?}");
    // A date that is left out is asked for, but not where it was told.
    assert!(all.date_accuracy >= 0.9, "{all:?}");
}
