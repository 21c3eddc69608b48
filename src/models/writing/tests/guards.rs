use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::script::*;
use crate::models::writing::*;
use crate::models::{Generator, OutputSchema, WritingError, WritingRequest};

fn retrying(script: &Arc<Script>) -> Retrying {
    Retrying::new(script.clone(), RetrySettings::default()).by_chance(|| 1.0)
}

#[tokio::test(start_paused = true)]
async fn what_failed_early_is_tried_again_with_longer_pauses() {
    let script =
        Script::new("a", [Act::Fail(unavailable()), Act::Fail(broken()), Act::Say("done")]);
    let (outcome, screen) = write(&retrying(&script), &request()).await;
    assert_eq!(outcome.expect("the third is right").text, "done");
    assert_eq!(screen, "done");
    let at = script.asked_at();
    assert_eq!(at[1] - at[0], Duration::from_millis(300));
    assert_eq!(at[2] - at[1], Duration::from_millis(600));
    let deadlines: Vec<_> =
        script.asked.lock().unwrap().iter().map(|(_, request)| request.deadline).collect();
    assert_eq!(deadlines[2], 10 * SECOND - Duration::from_millis(900), "time is used up");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_again_after_text_or_against_all_reason() {
    let denied = WritingError::Denied { provider: "a".to_owned() };
    for act in [Act::Break("half", broken()), Act::Fail(denied)] {
        let script = Script::new("a", [act]);
        assert!(write(&retrying(&script), &request()).await.0.is_err());
        assert_eq!(script.times(), 1);
    }
    let script = Script::new("a", [Act::Fail(unavailable())]);
    assert_eq!(write(&retrying(&script), &request()).await.0, Err(unavailable()));
    assert_eq!(script.times(), 3, "one and two retries");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_was_asked_for_is_kept_if_there_is_time() {
    let script = Script::new("a", [Act::Fail(limited(4)), Act::Say("done")]);
    let began = Instant::now();
    assert!(write(&retrying(&script), &request()).await.0.is_ok());
    assert_eq!(began.elapsed(), 4 * SECOND);
    let script = Script::new("a", [Act::Fail(limited(60)), Act::Say("done")]);
    let began = Instant::now();
    assert_eq!(write(&retrying(&script), &request()).await.0, Err(limited(60)));
    assert_eq!(began.elapsed(), Duration::ZERO, "it would be in vain");
}

#[tokio::test(start_paused = true)]
async fn a_failing_provider_is_left_alone_and_probed_once() {
    let mut acts = vec![Act::Fail(unavailable()); 6];
    acts.push(Act::Wait(SECOND, "well again"));
    let script = Script::new("a", acts);
    let breaker = Arc::new(Breaker::new(script.clone(), BreakerSettings::default()));
    for _ in 0..10 {
        assert!(write(&*breaker, &request()).await.0.is_err());
    }
    assert_eq!(script.times(), 5, "it opened within ten failures");
    let resting = write(&*breaker, &request()).await.0.expect_err("it rests");
    assert!(matches!(resting, WritingError::Resting { for_now, .. } if for_now == 5 * SECOND));

    sleep(5 * SECOND).await;
    assert_eq!(write(&*breaker, &request()).await.0, Err(unavailable()), "the probe");
    sleep(9 * SECOND).await;
    assert!(matches!(write(&*breaker, &request()).await.0, Err(WritingError::Resting { .. })));
    sleep(SECOND).await;
    // A probe whose caller leaves is none; two at once are one.
    let (again, probe_request) = (Arc::clone(&breaker), request());
    let left = tokio::spawn(async move { write(&*again, &probe_request).await.0 });
    sleep(Duration::from_millis(100)).await;
    assert!(matches!(write(&*breaker, &request()).await.0, Err(WritingError::Resting { .. })));
    left.abort();
    assert!(left.await.is_err());
    assert!(write(&*breaker, &request()).await.0.is_ok(), "the next one probes");
    assert!(write(&*breaker, &request()).await.0.is_ok(), "and it is closed");
}

#[tokio::test(start_paused = true)]
async fn half_of_all_answers_is_not_enough_and_nine_tenths_are() {
    let times = |every: usize, asked: usize| async move {
        let act = |number: usize| match number % every {
            0 => Act::Fail(unavailable()),
            _ => Act::Say("well"),
        };
        let script = Script::new("a", (0..asked).map(act).collect::<Vec<_>>());
        let breaker = Breaker::new(script.clone(), BreakerSettings::default());
        for _ in 0..asked {
            let _ = write(&breaker, &request()).await;
        }
        script.times()
    };
    assert_eq!(times(2, 100).await, 13, "it opens at the seventh failure");
    assert_eq!(times(10, 1_000).await, 1_000);
}

#[tokio::test(start_paused = true)]
async fn whoever_writes_no_json_where_it_is_asked_for_is_left_alone() {
    let schema = OutputSchema { name: "any".to_owned(), schema: Arc::new(true.into()) };
    let wanted = WritingRequest { schema: Some(schema), ..request() };
    for (said, times) in [("{\"half\": ", 5), ("```json\n{}\n```", 20)] {
        let script = Script::new("a", [Act::Say(said)]);
        let breaker = Breaker::new(script.clone(), BreakerSettings::default());
        for number in 0..20 {
            assert_eq!(write(&breaker, &wanted).await.0.is_ok(), number < times);
        }
        assert_eq!(script.times(), times, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_request_says_nothing_about_the_provider() {
    let refused = WritingError::Refused { provider: "a".to_owned(), detail: String::new() };
    let script = Script::new("a", [Act::Fail(refused)]);
    let breaker = Breaker::new(script.clone(), BreakerSettings::default());
    for _ in 0..20 {
        assert!(write(&breaker, &request()).await.0.is_err());
    }
    assert_eq!(script.times(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_time_of_ours_that_was_too_short_says_nothing_about_the_provider() {
    let late = WritingError::Timeout { provider: "a".to_owned(), waited_ms: 900 };
    let script = Script::new("a", [Act::Fail(late.clone())]);
    let breaker = Breaker::new(script.clone(), BreakerSettings::default());
    for _ in 0..20 {
        assert_eq!(write(&breaker, &request()).await.0, Err(late.clone()));
    }
    assert_eq!(script.times(), 20);

    let silent = WritingError::Silent { provider: "a".to_owned(), silent_ms: 15_000 };
    let mut acts = vec![Act::Fail(silent); 5];
    acts.extend([Act::Fail(late.clone()), Act::Say("well again")]);
    let script = Script::new("a", acts);
    let breaker = Breaker::new(script.clone(), BreakerSettings::default());
    for _ in 0..10 {
        assert!(write(&breaker, &request()).await.0.is_err());
    }
    assert_eq!(script.times(), 5, "its own silence is its fault");
    sleep(5 * SECOND).await;
    assert_eq!(write(&breaker, &request()).await.0, Err(late), "the probe had too little time");
    let resting = write(&breaker, &request()).await.0.expect_err("it rests on");
    assert!(matches!(resting, WritingError::Resting { for_now, .. } if for_now == 5 * SECOND));
    sleep(5 * SECOND).await;
    assert!(write(&breaker, &request()).await.0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn so_many_at_once_some_wait_and_the_rest_is_refused() {
    let script = Script::new("a", [Act::Wait(SECOND, "done")]);
    let limited = Arc::new(Limited::new(script.clone(), 2, 3));
    let began = Instant::now();
    let all = (0..7).map(|_| {
        let limited = Arc::clone(&limited);
        async move { (write(&*limited, &request()).await.0, began.elapsed()) }
    });
    let outcomes = futures_util::future::join_all(all).await;
    let refused = outcomes.iter().filter(|(outcome, at)| {
        matches!(outcome, Err(WritingError::Busy { .. })) && *at == Duration::ZERO
    });
    assert_eq!(refused.count(), 2);
    assert_eq!(outcomes.iter().filter(|(outcome, _)| outcome.is_ok()).count(), 5);
    assert_eq!(script.most_at_once.load(Ordering::Acquire), 2);
    assert_eq!(began.elapsed(), 3 * SECOND);
    assert!(write(&*limited, &request()).await.0.is_ok(), "places and queue are free again");
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_leaves_its_place() {
    let script = Script::new("a", [Act::Wait(5 * SECOND, "done")]);
    let limited = Arc::new(Limited::new(script.clone(), 1, 1));
    let first = Arc::clone(&limited);
    let first = tokio::spawn(async move { write(&*first, &request()).await.0 });
    sleep(Duration::from_millis(1)).await;
    let hasty = WritingRequest { deadline: SECOND, ..request() };
    let late = write(&*limited, &hasty).await.0;
    assert!(matches!(late, Err(WritingError::Busy { .. })), "the provider was not asked: {late:?}");
    let second = Arc::clone(&limited);
    let second = tokio::spawn(async move { write(&*second, &request()).await.0 });
    sleep(Duration::from_millis(1)).await;
    second.abort();
    assert!(second.await.is_err());
    assert!(write(&*limited, &request()).await.0.is_ok(), "the queue has room");
    assert!(first.await.expect("it ran").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_form_is_repaired_once() {
    let script = Script::new("a", [Act::Say("{\"n\": \"one\"}"), Act::Say("{\"n\": 1}")]);
    let validated = Validated::new(script.clone());
    let (outcome, screen) = write(&validated, &with_schema()).await;
    let written = outcome.expect("the second is right");
    assert_eq!((written.text.as_str(), screen.as_str()), ("{\"n\": 1}", "{\"n\": 1}"));
    assert_eq!(written.tokens.written, 10, "both are paid for");
    let again = script.asked.lock().unwrap()[1].1.clone();
    let last = &again.messages.last().expect("there are some").content;
    assert!(last.contains("/n") && last.contains("integer"), "{last}");

    let script = Script::new("a", [Act::Say("{\"n\": \"SECRET\"}")]);
    let error = write(&Validated::new(script.clone()), &with_schema()).await.0;
    let error = error.expect_err("it stays wrong");
    assert!(matches!(error, WritingError::Form { .. }));
    assert!(error.to_string().contains("/n") && !error.to_string().contains("SECRET"), "{error}");
    assert_eq!(script.times(), 2, "one repair");
}

#[tokio::test(start_paused = true)]
async fn what_surrounds_the_json_is_taken_away() {
    for said in [
        "```json\n{\"n\": 1}\n```",
        "Here you are:\n{\"n\": 1}\nAnything else?",
        "<think>{\"n\": maybe}</think>\n{\"n\": 1}",
    ] {
        let script = Script::new("a", [Act::Say(said)]);
        let (outcome, screen) = write(&Validated::new(script.clone()), &with_schema()).await;
        assert_eq!(outcome.expect("it is in there").text, "{\"n\": 1}");
        assert_eq!(screen, "{\"n\": 1}", "the pieces are the text");
        assert_eq!(script.times(), 1);
    }
    let script = Script::new("a", [Act::Cut("{\"n\":"), Act::Say("{\"n\":2}")]);
    assert!(write(&Validated::new(script.clone()), &with_schema()).await.0.is_ok());
    assert!(script.asked.lock().unwrap()[1].1.messages[2].content.contains("be shorter"));
    let script = Script::new("a", [Act::Say("no schema, no form")]);
    assert!(write(&Validated::new(script), &request()).await.0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_schema_that_is_none_is_refused() {
    let mut request = with_schema();
    if let Some(schema) = &mut request.schema {
        schema.schema = Arc::new(serde_json::json!({"type": "nonsense"}));
    }
    let script = Script::new("a", [Act::Say("{}")]);
    let error = write(&Validated::new(script.clone()), &request).await.0.expect_err("it is none");
    assert!(matches!(error, WritingError::Refused { .. }) && script.times() == 0, "{error}");
}

#[tokio::test(start_paused = true)]
async fn all_guards_together_keep_the_deadline() {
    let script = Script::new("a", [Act::Wait(3 * SECOND, "{\"n\":1}")]);
    let ledger = Arc::new(Ledger::new(Limits::default(), Default::default()));
    let policy = Policy { concurrency: 1, ..Policy::default() };
    let writer: Arc<dyn Generator> = guarded(script.clone(), &policy, &ledger);
    let chain = Chain::new(vec![Link { generator: writer, reserve: Duration::ZERO }]);
    let began = Instant::now();
    let hasty = WritingRequest { deadline: SECOND, ..with_schema() };
    assert!(matches!(write(&chain, &hasty).await.0, Err(WritingError::Timeout { .. })));
    assert_eq!(began.elapsed(), SECOND);
    assert_eq!(script.at_once.load(Ordering::Acquire), 0, "the work is cancelled");
    assert!(write(&chain, &with_schema()).await.0.is_ok());
}
