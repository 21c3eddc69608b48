use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use super::script::*;
use crate::domain::TenantId;
use crate::models::writing::{Budgeted, Ledger, Limits, Policy, Price, Spent, guarded};
use crate::models::{Payer, WritingError, WritingRequest};

const PRICE: Price = Price { prompt: 2.0, written: 8.0 };
/// What `request()` reserves: 24 characters are 6 tokens and 4 of the message, and 90 may be written.
const RESERVED: u64 = 100;

fn ledger(limits: Limits) -> Arc<Ledger> {
    Arc::new(Ledger::new(limits, BTreeMap::new()))
}

#[tokio::test(start_paused = true)]
async fn what_is_used_is_settled_and_the_rest_goes_back() {
    let limits = Limits { tokens_per_day: Some(130), ..Limits::default() };
    let ledger = ledger(limits);
    let script = Script::new("a", [Act::Say("done")]);
    let budgeted = Budgeted::new(script.clone(), Arc::clone(&ledger), PRICE);
    // 15 tokens are used each time, 100 are reserved.
    for used in [15, 30] {
        assert!(write(&budgeted, &request()).await.0.is_ok());
        let spent = ledger.spent_today(&TenantId::from("acme"));
        assert_eq!(spent, Spent { tokens: used, micros: used / 15 * (10 * 2 + 5 * 8) });
    }
    assert!(write(&budgeted, &request()).await.0.is_ok(), "30 and 100 are 130");
    let error = write(&budgeted, &request()).await.0.expect_err("45 and 100 are more");
    assert_eq!(error, WritingError::Budget { whose: Payer::Tenant(TenantId::from("acme")) });
    assert_eq!(error.to_string(), "the budget of tenant acme for today is used up");
    assert_eq!(script.times(), 3, "nothing is asked that can't be paid for");
    let other = WritingRequest { tenant: TenantId::from("other"), ..request() };
    assert!(write(&budgeted, &other).await.0.is_ok(), "each tenant has its own");
}

#[tokio::test(start_paused = true)]
async fn many_at_once_stay_within_the_budget() {
    let limits = Limits { tokens_per_day: Some(5 * RESERVED), ..Limits::default() };
    let ledger = ledger(limits);
    let script = Script::new("a", [Act::Wait(SECOND, "done")]);
    let budgeted = Arc::new(Budgeted::new(script.clone(), Arc::clone(&ledger), PRICE));
    let all = (0..50).map(|_| {
        let budgeted = Arc::clone(&budgeted);
        async move { write(&*budgeted, &request()).await.0.is_ok() }
    });
    let written = futures_util::future::join_all(all).await;
    assert_eq!(written.into_iter().filter(|is_written| *is_written).count(), 5);
    assert_eq!(ledger.spent_today(&TenantId::from("acme")).tokens, 5 * 15);
}

#[tokio::test(start_paused = true)]
async fn a_failure_costs_what_came_and_a_caller_who_leaves_too() {
    let ledger = ledger(Limits::default());
    let spent = || ledger.spent_today(&TenantId::from("acme")).tokens;
    let script = Script::new(
        "a",
        [
            Act::Fail(unavailable()),
            Act::Break("twelve chars", broken()),
            Act::Wait(SECOND, "never"),
        ],
    );
    let budgeted = Budgeted::new(script, Arc::clone(&ledger), PRICE);
    assert!(write(&budgeted, &request()).await.0.is_err());
    assert_eq!(spent(), 0, "nothing was written");
    assert!(write(&budgeted, &request()).await.0.is_err());
    assert_eq!(spent(), 10 + 3);
    {
        let leaving = request();
        let mut ignore = |_: crate::models::Piece<'_>| {};
        let mut writing = crate::models::Generator::write(&budgeted, &leaving, &mut ignore);
        assert!(futures_util::poll!(&mut writing).is_pending());
        assert_eq!(spent(), 13 + RESERVED, "reserved");
    }
    assert_eq!(spent(), 13 + 10, "it had the prompt; the rest is given back");
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_booked_and_a_full_queue_costs_nothing() {
    let ledger = ledger(Limits::default());
    let spent = || ledger.spent_today(&TenantId::from("acme")).tokens;
    let script =
        Script::new("a", [Act::Fail(broken()), Act::Fail(unavailable()), Act::Say("done")]);
    let writer = guarded(script.clone(), &Policy::default(), &ledger);
    assert!(write(&*writer, &request()).await.0.is_ok());
    assert_eq!(script.times(), 3);
    assert_eq!(spent(), 10 + 15, "the prompt of what broke off, and what was written");

    let slow = Script::new("a", [Act::Wait(5 * SECOND, "done")]);
    let policy = Policy { concurrency: 1, queue_max: 1, ..Policy::default() };
    let writer = guarded(slow, &policy, &ledger);
    let before = spent();
    let first = {
        let writer = Arc::clone(&writer);
        tokio::spawn(async move { write(&*writer, &request()).await.0 })
    };
    tokio::time::sleep(SECOND).await;
    let hasty = WritingRequest { deadline: SECOND / 10, ..request() };
    for _ in 0..8 {
        let late = write(&*writer, &hasty).await.0;
        assert!(matches!(late, Err(WritingError::Busy { .. })), "no fault of it: {late:?}");
    }
    assert!(first.await.expect("it ran").is_ok());
    assert_eq!(spent(), before + 15, "who waited in vain pays nothing");
}

#[tokio::test(start_paused = true)]
async fn money_and_jobs_have_limits_of_their_own() {
    // At most 10 × 2 and 90 × 8 millionths a request.
    let limits = Limits { micros_per_job: Some(799), ..Limits::default() };
    let ledger = ledger(limits);
    let script = Script::new("a", [Act::Say("done")]);
    let budgeted = Budgeted::new(script, Arc::clone(&ledger), PRICE);
    let of_job = WritingRequest { job: Some("night".into()), ..request() };
    assert!(write(&budgeted, &of_job).await.0.is_ok());
    let error = write(&budgeted, &of_job).await.0.expect_err("60 and 740 are more");
    assert_eq!(error.to_string(), "the budget of job night is used up");
    assert!(write(&budgeted, &request()).await.0.is_ok(), "no job, no limit");
    let tenant = TenantId::from("acme");
    assert_eq!(ledger.spent_by_job(&tenant, "night").micros, 60);
    ledger.close_job(&tenant, "night");
    assert!(write(&budgeted, &of_job).await.0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_next_day_begins_with_nothing_used() {
    let noon = "2026-03-01T12:00:00Z".parse::<Timestamp>().expect("a time").as_second();
    let now = Arc::new(AtomicI64::new(noon));
    let clock = Arc::clone(&now);
    let limits = Limits { tokens_per_day: Some(110), ..Limits::default() };
    let read =
        move || Timestamp::from_second(clock.load(Ordering::Acquire)).expect("a time of ours");
    let ledger = Arc::new(Ledger::with_clock(limits, BTreeMap::new(), read));
    let budgeted = Budgeted::new(Script::new("a", [Act::Say("done")]), Arc::clone(&ledger), PRICE);
    assert!(write(&budgeted, &request()).await.0.is_ok());
    assert!(write(&budgeted, &request()).await.0.is_err());
    now.store(noon + 12 * 3_600, Ordering::Release);
    assert!(write(&budgeted, &request()).await.0.is_ok());
}
