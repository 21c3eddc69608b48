//! All that is wrong with a scenario, each with its place.

use super::scenario::{Scenario, Time};

/// A class's number has to fit into a byte.
const MOST_CLASSES: usize = 255;

const MOST_TIERS: usize = 16;

const MOST_AGENTS: usize = 100_000;

/// Calls of a simulated day are kept in memory.
const MOST_HOURS: f64 = 24.0 * 366.0;

pub fn mistakes(scenario: &Scenario) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |fine: bool, place: &str, wants: &str| {
        if !fine {
            found.push(format!("{place}: {wants}"));
        }
    };
    check(positive(scenario.target_s), "target_s", "needs seconds above zero");
    check(
        positive(scenario.hours) && scenario.hours <= MOST_HOURS,
        "hours",
        "needs hours above zero, a year at most",
    );
    check(
        (0.0..scenario.hours).contains(&scenario.warm_up_hours),
        "warm_up_hours",
        "needs 0 or more, and less than hours",
    );
    check(sound(scenario.patience), "patience", "needs a mean above zero, and a cv of 0 to 10");
    check(positive(scenario.hand_over.after_s), "hand_over.after_s", "needs seconds above zero");
    check((0.0..=2.0).contains(&scenario.spread.handling), "spread.handling", "needs 0 to 2");
    check((0.0..=0.5).contains(&scenario.spread.resolves), "spread.resolves", "needs 0 to 0.5");
    check(scenario.history.contacts <= 100_000, "history.contacts", "needs 100,000 at most");
    check(share(scenario.classifier.accuracy), "classifier.accuracy", "needs a share from 0 to 1");
    if let Some(returns) = scenario.returns {
        check(
            (0.0..1.0).contains(&returns.share),
            "returns.share",
            "needs a share from 0 to below 1",
        );
        check(positive(returns.after_s), "returns.after_s", "needs seconds above zero");
    }
    check((1..=MOST_CLASSES).contains(&scenario.classes.len()), "class", "needs 1 to 255 classes");
    for (at, class) in scenario.classes.iter().enumerate() {
        let place = |field: &str| format!("class[{at}].{field}");
        let twice = scenario.classes[..at].iter().any(|other| other.name == class.name);
        check(
            !class.name.is_empty() && !twice,
            &place("name"),
            "needs a name that no other class has",
        );
        check(positive(class.share), &place("share"), "needs a number above zero");
        let finite = !matches!(class.handling, Time::Never);
        check(
            finite && sound(class.handling),
            &place("handling"),
            "needs a mean above zero, and a cv of 0 to 10",
        );
        check(share(class.resolves), &place("resolves"), "needs a probability from 0 to 1");
        let skilled = scenario
            .groups
            .iter()
            .any(|group| group.agents > 0 && group.skills.contains_key(&class.name));
        check(skilled, &place("name"), "no agent has this skill: give it to a group");
    }
    check(scenario.tiers.len() <= MOST_TIERS, "tier", "needs 16 tiers at most");
    for (at, tier) in scenario.tiers.iter().enumerate() {
        check(positive(tier.share), &format!("tier[{at}].share"), "needs a number above zero");
        check(positive(tier.value), &format!("tier[{at}].value"), "needs a number above zero");
    }
    let agents =
        scenario.groups.iter().fold(0_usize, |sum, group| sum.saturating_add(group.agents));
    check((1..=MOST_AGENTS).contains(&agents), "group", "needs 1 to 100,000 agents in all");
    for (at, group) in scenario.groups.iter().enumerate() {
        for (name, skill) in &group.skills {
            let place = format!("group[{at}].skills.{name}");
            let known = scenario.classes.iter().any(|class| class.name == *name);
            check(known, &place, "no class has this name");
            check(
                positive(skill.handling),
                &format!("{place}.handling"),
                "needs a factor above zero",
            );
            check(
                positive(skill.resolves),
                &format!("{place}.resolves"),
                "needs a factor above zero",
            );
        }
    }
    found
}

fn positive(figure: f64) -> bool {
    figure.is_finite() && figure > 0.0
}

fn share(figure: f64) -> bool {
    (0.0..=1.0).contains(&figure)
}

fn sound(time: Time) -> bool {
    match time {
        Time::Exponential { mean_s } | Time::Constant { mean_s } => positive(mean_s),
        Time::Lognormal { mean_s, cv } => positive(mean_s) && (0.0..=10.0).contains(&cv),
        Time::Never => true,
    }
}
