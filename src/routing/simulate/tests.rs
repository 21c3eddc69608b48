use super::*;
use crate::routing::erlang::Pool;

/// One kind of call, equal agents, nobody comes back: what Erlang's formulas are about.
fn one_pool(agents: usize, patience: &str, hours: f64) -> Scenario {
    Scenario::parse(&format!(
        "name = 'pool'
         target_s = 20
         hours = {hours}
         warm_up_hours = 2
         patience = {patience}
         [[class]]
         name = 'all'
         share = 1
         handling = {{ distribution = 'exponential', mean_s = 300 }}
         resolves = 1
         [[group]]
         name = 'equal'
         agents = {agents}
         skills = {{ all = {{}} }}"
    ))
    .expect("a sound scenario")
}

const SAMPLE: &str = include_str!("../../../routing/scenarios/bank-60-agents.toml");

fn sample() -> Scenario {
    Scenario::parse(SAMPLE).expect("the sample is sound")
}

fn compare(scenario: &Scenario, load: f64, runs: usize, policies: &[Policy]) -> Comparison {
    let source = Source::Random { scenario, measured: None, load, runs, first_seed: 1 };
    Comparison::of(&source, policies, Policy::Skill, &|| ()).expect("a comparison")
}

fn metric<'a>(outcome: &'a Outcome, name: &str) -> &'a Interval {
    let place = METRICS.iter().position(|(metric, _)| *metric == name).expect("a known metric");
    outcome.metrics[place].as_ref().expect("somebody called")
}

fn of(comparison: &Comparison, policy: Policy) -> &Outcome {
    comparison.outcomes.iter().find(|outcome| outcome.policy == policy).expect("it was run")
}

/// Calls an hour that the scenario has at this load.
fn calls_per_hour(scenario: &Scenario, load: f64) -> f64 {
    scenario.world(None, 1).expect("a world").arrivals_per_s(load) * 3600.0
}

#[test]
fn patient_callers_fare_as_erlang_c_says() {
    for (agents, load) in [(10, 0.8), (40, 0.9)] {
        let scenario = one_pool(agents, "{ distribution = 'never' }", 200.0);
        let comparison = compare(&scenario, load, 30, &[Policy::Fifo, Policy::Context]);
        let rate = calls_per_hour(&scenario, load);
        let theory = Pool::new(rate, 300.0, agents as u32).expect("a pool");
        for outcome in &comparison.outcomes {
            let (level, wait) = (metric(outcome, "service_level"), metric(outcome, "mean_wait_s"));
            assert!(level.half < 0.02, "narrow enough to mean something: {level:?}");
            assert!(
                level.holds(theory.service_level(20.0)),
                "{level:?} {}",
                theory.service_level(20.0)
            );
            assert!(wait.holds(theory.mean_wait_s()), "{wait:?} {}", theory.mean_wait_s());
            assert!(metric(outcome, "occupancy").holds(load));
        }
    }
}

#[test]
fn impatient_callers_fare_as_erlang_a_says() {
    for (agents, load, patience_s) in [(10, 1.0, 120.0), (60, 1.1, 180.0)] {
        let patience = format!("{{ distribution = 'exponential', mean_s = {patience_s} }}");
        let scenario = one_pool(agents, &patience, 100.0);
        let comparison = compare(&scenario, load, 30, &[Policy::LongestIdle]);
        let pool =
            Pool::new(calls_per_hour(&scenario, load), 300.0, agents as u32).expect("a pool");
        let theory = pool.with_patience(patience_s).expect("a patience");
        let outcome = of(&comparison, Policy::LongestIdle);
        for (name, figure) in [
            ("service_level", theory.answered_within(20.0)),
            ("abandonment", theory.abandoned()),
            ("mean_wait_s", theory.mean_wait_s()),
            ("occupancy", theory.occupancy()),
        ] {
            let interval = metric(outcome, name);
            assert!(interval.holds(figure), "{agents} agents, {name}: {interval:?} {figure}");
            assert!(interval.half < 0.1 * figure, "narrow enough to mean something: {interval:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_figures_and_another_seed_others() {
    let scenario = sample();
    let events = |first_seed| {
        let source =
            Source::Random { scenario: &scenario, measured: None, load: 1.0, runs: 3, first_seed };
        let comparison =
            Comparison::of(&source, &Policy::ALL, Policy::Skill, &|| ()).expect("a comparison");
        comparison
            .outcomes
            .iter()
            .map(|outcome| (outcome.events, outcome.metrics.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(events(5), events(5));
    assert_ne!(events(5), events(9));
}

#[test]
fn every_caller_is_answered_or_gives_up() {
    let scenario = sample();
    let world = scenario.world(None, 3).expect("a world");
    let callers = Callers::new(&world, 3);
    let calls = callers.poisson(world.arrivals_per_s(1.2));
    for policy in Policy::ALL {
        let tally = run(&world, &callers, &calls, policy, &Tables::of(&world, policy));
        let total = tally.total();
        // Who gives up after a hand-over was answered before.
        let once = total.answered + total.abandoned;
        assert!(
            (total.offered..=total.offered + total.handed_over).contains(&once),
            "{policy:?} {total:?}"
        );
        assert!(total.in_time <= total.answered && total.first_resolved <= total.first);
        let first = calls.iter().filter(|call| call.at_s >= world.warm_up_s).count() as u64;
        assert!(total.offered > first, "some come back");
        assert!((0.9..=1.0).contains(&tally.occupancy()), "{}", tally.occupancy());
        for class in 0..world.classes.len() {
            let counts = tally.class(class);
            assert!(counts.offered > 0 && counts.wait_s >= 0.0);
        }
    }
}

#[test]
fn context_gains_under_load_and_leaves_no_kind_of_contact_behind() {
    let scenario = sample();
    for (load, least) in [(0.85, 0.0), (0.95, 0.0), (1.0, 0.02)] {
        let comparison = compare(&scenario, load, 12, &[Policy::Context]);
        let context = of(&comparison, Policy::Context);
        let gain = context.gains[0].expect("enough calls");
        assert!(gain.low() > least, "load {load}: {gain:?}");
        let (worst, change) = context.worst_class().expect("classes");
        assert!(change > -0.1, "{worst:?}");
    }
}

#[test]
fn where_nothing_is_known_no_gain_is_claimed() {
    // One kind of call, and agents who are all the same: there is nothing to know.
    let scenario = one_pool(30, "{ distribution = 'exponential', mean_s = 120 }", 20.0);
    let comparison = compare(&scenario, 1.0, 20, &[Policy::Context]);
    let gain = of(&comparison, Policy::Context).gains[0].expect("enough calls");
    assert!(gain.holds(0.0), "{gain:?}");
}

#[test]
fn who_cannot_help_hands_over_and_the_caller_waits_no_longer_than_counted() {
    let text = "name = 'two skills'
        target_s = 20
        hours = 2
        patience = { distribution = 'never' }
        hand_over = { after_s = 30 }
        classifier = { accuracy = 0.0 }
        class = [
          { name = 'a', share = 1, handling = { distribution = 'constant', mean_s = 100 }, resolves = 1 },
          { name = 'b', share = 1, handling = { distribution = 'constant', mean_s = 100 }, resolves = 1 },
        ]
        group = [
          { name = 'a', agents = 200, skills = { a = {} } },
          { name = 'b', agents = 200, skills = { b = {} } },
        ]";
    let scenario = Scenario::parse(text).expect("a sound scenario");
    let world = scenario.world(None, 1).expect("a world");
    let callers = Callers::new(&world, 1);
    let calls = callers.poisson(0.5);
    let tally = |policy| run(&world, &callers, &calls, policy, &Tables::of(&world, policy)).total();
    let skill = tally(Policy::Skill);
    assert_eq!(skill.handed_over, skill.offered, "always the wrong kind is heard");
    assert_eq!((skill.wait_s, skill.abandoned), (0.0, 0), "somebody is always free");
    assert_eq!(skill.first_resolved, skill.offered);
    // Told how the classifier errs, the score takes what is likely meant and not what was heard.
    assert_eq!(tally(Policy::Context).handed_over, 0);
}

#[test]
fn nobody_is_answered_by_agents_who_are_not_on_duty() {
    let scenario = one_pool(2, "{ distribution = 'constant', mean_s = 60 }", 4.0);
    let mut world = scenario.world(None, 1).expect("a world");
    world.warm_up_s = 0.0;
    // One agent in the first half hour, nobody later.
    world.agents.duty = vec![1, 0];
    let callers = Callers::new(&world, 1);
    let call = |at_s: f64| callers.draw(&mut Dice::new(1), at_s, 0, 0);
    let calls = [call(1.0), call(1799.0 + 3600.0), call(7200.0)];
    let tally = run(
        &world,
        &callers,
        &calls,
        Policy::LongestIdle,
        &Tables::of(&world, Policy::LongestIdle),
    );
    let total = tally.total();
    assert_eq!((total.offered, total.answered, total.abandoned), (3, 1, 2));
    assert_eq!(tally.duty_s, [1800.0, 0.0]);
    assert_eq!(tally.busy_s[1], 0.0);
}

#[test]
fn valuable_customers_wait_less_and_the_others_do_not_pay_for_it() {
    let comparison = compare(&sample(), 1.0, 12, &[Policy::Context]);
    let context = of(&comparison, Policy::Context);
    let [standard, premium] = &context.tiers[..] else { panic!("two tiers") };
    assert!(premium.mean_wait_s < standard.mean_wait_s);
    assert!(standard.change.is_some_and(|change| change > -0.1), "{standard:?}");
}

#[test]
fn all_mistakes_of_a_scenario_are_named_with_their_place() {
    let text = SAMPLE
        .replace("target_s = 20", "target_s = -1")
        .replace("share = 0.22\nhandling", "share = 0\nhandling")
        .replace("cash = { handling = 1.2", "crash = { handling = 1.2");
    let error = Scenario::parse(&text).map(|_| ()).expect_err("mistakes").to_string();
    for part in
        ["target_s: ", "class[0].share: ", "class[3].share: ", "group[0].skills.crash: no class"]
    {
        assert!(error.contains(part), "{part} in {error}");
    }
    let error =
        Scenario::parse("name = 'x'\nbogus = 1").map(|_| ()).expect_err("unknown").to_string();
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn more_calls_than_memory_holds_are_refused() {
    let scenario = one_pool(100_000, "{ distribution = 'never' }", 8_000.0);
    let source =
        Source::Random { scenario: &scenario, measured: None, load: 1.0, runs: 1, first_seed: 1 };
    assert!(matches!(source.run(0), Err(ScenarioError::TooManyCalls(_))));
}

#[test]
fn staff_answers_a_record_with_other_kinds() {
    let intents = ["cash".to_owned(), "card_arrival".to_owned()];
    let staff = sample().staff(&intents, 1).expect("both are known");
    assert_eq!((staff.count, staff.skilled.len()), (60, 120));
    assert!(sample().staff(&["weather".to_owned()], 1).is_err());
}
