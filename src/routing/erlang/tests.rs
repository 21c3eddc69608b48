use super::*;

struct Row {
    kind: &'static str,
    figures: Vec<Option<f64>>,
}

impl Row {
    fn at(&self, column: usize) -> f64 {
        self.figures[column].expect("the row has this figure")
    }

    fn pool(&self) -> Pool {
        Pool::new(self.at(0), self.at(1), self.at(2) as u32).expect("a sound pool")
    }
}

/// `tests/corpus/erlang/reference.csv`, whose README names the columns.
fn reference(kind: &str) -> Vec<Row> {
    let text = include_str!("../../../tests/corpus/erlang/reference.csv");
    let rows: Vec<Row> = text
        .lines()
        .skip(1)
        .map(|line| {
            let (kind, figures) = line.split_once(',').expect("columns");
            Row { kind, figures: figures.split(',').map(|figure| figure.parse().ok()).collect() }
        })
        .filter(|row| row.kind == kind)
        .collect();
    assert!(rows.len() >= 10, "{} rows of kind {kind}", rows.len());
    rows
}

fn near(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-6 * theirs.abs().max(1.0)
}

#[test]
fn erlang_c_agrees_with_the_reference() {
    for row in reference("C") {
        let pool = row.pool();
        assert!(near(pool.wait_probability(), row.at(5)), "{pool:?}: {}", pool.wait_probability());
        assert!(near(pool.service_level(row.at(4)), row.at(6)), "{pool:?}");
        assert!(near(pool.mean_wait_s(), row.at(8)), "{pool:?}: {}", pool.mean_wait_s());
        let target =
            Target { service_level: 0.8, target_s: row.at(4), max_occupancy: 0.9, shrinkage: 0.3 };
        let needed = agents_needed(row.at(0), row.at(1), None, &target).expect("enough agents");
        assert_eq!(f64::from(needed.agents), row.at(9), "{pool:?}");
        assert_eq!(needed.planned, (f64::from(needed.agents) / 0.7).ceil() as u32);
    }
}

#[test]
fn erlang_a_agrees_with_the_reference() {
    for row in reference("A") {
        let pool = row.pool().with_patience(row.at(3)).expect("a sound patience");
        assert!(near(pool.wait_probability(), row.at(5)), "{pool:?}");
        assert!(
            near(pool.answered_within(row.at(4)), row.at(6)),
            "{pool:?}: {}",
            pool.answered_within(row.at(4))
        );
        assert!(near(pool.abandoned(), row.at(7)), "{pool:?}: {}", pool.abandoned());
        assert!(near(pool.mean_wait_s(), row.at(8)), "{pool:?}: {}", pool.mean_wait_s());
    }
}

#[test]
fn endless_patience_is_erlang_c() {
    let pool = Pool::new(720.0, 300.0, 66).expect("a sound pool");
    let patient = pool.with_patience(1e9).expect("a sound patience");
    assert!((pool.wait_probability() - patient.wait_probability()).abs() < 1e-4);
    assert!((pool.service_level(20.0) - patient.answered_within(20.0)).abs() < 1e-4);
    assert!((pool.mean_wait_s() - patient.mean_wait_s()).abs() < 1e-2);
}

#[test]
fn extreme_pools_stay_within_bounds() {
    for (calls, handling, agents, patience) in [
        (1e6, 300.0, 90_000, 180.0),
        (1e6, 300.0, 10, 180.0),
        (0.001, 300.0, 5_000, 0.01),
        (1e6, 300.0, 83_333, 86_400.0),
        (1e5, 1.0, 1, 86_400.0),
    ] {
        let pool =
            Pool::new(calls, handling, agents).expect("a sound pool").with_patience(patience);
        let pool = pool.expect("a sound patience");
        for share in [
            pool.wait_probability(),
            pool.abandoned(),
            pool.answered_within(20.0),
            pool.answered_within(0.0),
            pool.occupancy(),
        ] {
            assert!((-1e-9..=1.0 + 1e-9).contains(&share), "{share} of {pool:?}");
        }
        assert!(pool.answered_within(0.0) <= pool.answered_within(20.0) + 1e-12, "{pool:?}");
        let everybody_else = 1.0 - pool.abandoned();
        assert!((pool.answered_within(1e9) - everybody_else).abs() < 1e-6, "{pool:?}");
    }
}

#[test]
fn too_many_calls_for_erlang_c_wait_for_ever() {
    let pool = Pool::new(720.0, 300.0, 60).expect("a sound pool");
    assert_eq!(pool.wait_probability(), 1.0);
    assert_eq!(pool.service_level(20.0), 0.0);
    assert_eq!(pool.mean_wait_s(), f64::INFINITY);
    let patient = pool.with_patience(180.0).expect("a sound patience");
    assert!(patient.answered_within(20.0) > 0.5, "impatience keeps the queue short");
}

#[test]
fn what_is_out_of_range_is_named() {
    assert_eq!(Pool::new(0.0, 1.0, 1), Err(ErlangError::NotPositive("calls an hour")));
    assert_eq!(Pool::new(1.0, f64::NAN, 1), Err(ErlangError::NotPositive("the handling time")));
    assert_eq!(Pool::new(1.0, 1.0, 0), Err(ErlangError::NotPositive("the number of agents")));
    let target = Target { service_level: 1.0, target_s: 20.0, max_occupancy: 1.0, shrinkage: 0.0 };
    assert_eq!(
        agents_needed(1.0, 1.0, None, &target),
        Err(ErlangError::NotAShare("the service level"))
    );
    let endless = Target { service_level: 0.8, ..target };
    assert_eq!(agents_needed(1e9, 1e6, None, &endless), Err(ErlangError::TooMany));
    assert!(agents_needed(720.0, 300.0, Some(180.0), &endless).expect("enough").agents < 66);
}
