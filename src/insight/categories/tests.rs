use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::*;

fn samples() -> Arc<Categories> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("categories");
    Arc::new(Categories::open(&folder).expect("the sample rules are sound"))
}

#[test]
fn the_sample_rules_pass_their_own_tests() {
    let categories = samples();
    assert!(categories.trials().len() >= 20 && categories.rules().len() >= 20);
    for trial in categories.trials() {
        assert_eq!(trial.run(&categories), Ok(()), "{} {}", trial.file, trial.name);
    }
}
