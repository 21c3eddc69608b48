//! Writers that stall, cost and fail by a script: what is final, what waits, what is counted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backchannel::batch::{Batch, BatchError, Caps, Halt, Inputs, Means, Opened, Sums, Used};
use backchannel::models::WritingError;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::bench::*;
use super::{conversation, ids};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_lets_what_is_under_way_end_and_holds_over_restarts() {
    let bench = Bench::new(200);
    let script = Script::new(|_, _| Ok(()));
    let (why, sums) = stopped(bench.run(&script, tokens(500)).await);
    assert_eq!(why, Halt::Budget);
    assert!((500..=500 + 3 * TOKENS).contains(&sums.tokens), "{sums:?}");
    assert_eq!(sums.written * TOKENS, sums.tokens, "all that was paid for is kept");
    assert_eq!(script.asked() as u64, sums.written);
    assert!(!bench.output().exists());
    assert_eq!(script.most_at_once.load(Ordering::SeqCst), 4);

    let again = Script::new(|_, _| panic!("the budget is used up"));
    let (why, same) = stopped(bench.run(&again, tokens(500)).await);
    assert_eq!((why, same), (Halt::Budget, sums));
    assert_eq!(again.asked(), 0);
    let used = Used { tokens: sums.tokens, cost_micros: sums.written * MICROS };
    assert_eq!(*again.began_with.lock().unwrap(), Some((tokens(500), used)));

    let by_cost = Caps { tokens: None, cost_micros: Some(400) };
    let (why, more) = stopped(bench.run(&script, by_cost).await);
    assert_eq!(why, Halt::Budget);
    // 400 is no multiple: the one that reaches it goes beyond it, and three are under way.
    assert!((400..400 + 4 * MICROS).contains(&more.cost_micros), "{more:?}");

    let sums = complete(bench.run(&script, Caps::default()).await);
    assert_eq!(sums, Sums { written: 200, failed: 0, tokens: 2_000, cost_micros: 600 });
    assert_eq!(script.asked(), 200, "nothing is written twice");
    assert_eq!(ids(&bench.output()).len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_never_final_and_its_cost_counts() {
    let bench = Bench::new(130);
    let down = Script::new(|number, _| if number == "77" { Err(unavailable(7)) } else { Ok(()) });
    let (why, sums) = stopped(bench.run(&down, Caps::default()).await);
    let Halt::Unavailable(why) = why else { panic!("{why:?}") };
    assert!(why.contains("is down"), "{why}");
    assert_eq!((sums.written, sums.failed), (129, 0));
    assert_eq!(sums.tokens, 129 * TOKENS + 3 * 7, "three tries in vain");
    assert_eq!(down.asked.lock().unwrap()["77"], 3);
    assert!(!bench.output().exists());

    let up = Script::new(|_, _| Ok(()));
    let sums = complete(bench.run(&up, Caps::default()).await);
    assert_eq!(up.asked(), 1);
    assert_eq!((sums.written, sums.failed, sums.tokens), (130, 0, 130 * TOKENS + 3 * 7));
    let used = Used { tokens: 129 * TOKENS + 3 * 7, cost_micros: 129 * MICROS };
    assert_eq!(*up.began_with.lock().unwrap(), Some((Caps::default(), used)));
    let expected: Vec<String> = (0..130).map(|number| format!("ü-{number:05}")).collect();
    assert_eq!(ids(&bench.output()), expected);
    assert!(bench.errors().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_gets_an_error_and_the_rest() {
    let bench = Bench::new(70);
    let script = Script::new(|number, _| if number == "7" { Err(unavailable(2)) } else { Ok(()) });
    let (why, _) = stopped(bench.run(&script, Caps::default()).await);
    assert!(matches!(why, Halt::Unavailable(_)), "{why:?}");
    let mut order = bench.order(Caps::default());
    order.give_up = true;
    let sums = complete(bench.with(order, &script, means(), CancellationToken::new()).await);
    assert_eq!((sums.written, sums.failed, sums.tokens), (69, 1, 69 * TOKENS + 6 * 2));
    assert_eq!(bench.errors()[0]["line"], 8);
    assert_eq!(script.asked(), 69 + 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_down_for_all_ends_the_batch_early() {
    let bench = Bench::new(2_000);
    let down = Script::new(|_, _| Err(unavailable(0)));
    let mut order = bench.order(Caps::default());
    order.concurrency = Some(16);
    let (why, sums) = stopped(bench.with(order, &down, means(), CancellationToken::new()).await);
    assert!(matches!(why, Halt::Unavailable(_)), "{why:?}");
    assert_eq!(sums, Sums::default());
    let conversations = down.asked.lock().unwrap().len();
    assert!(conversations < 300, "{conversations} of 2000 were tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_costs_one_conversation() {
    let bench = Bench::new(70);
    let form =
        || WritingError::Form { provider: "lab".to_owned(), detail: "no sections".to_owned() };
    let refused =
        || WritingError::Refused { provider: "lab".to_owned(), detail: "too long".to_owned() };
    let script = Script::new(move |number, _| match number {
        "3" => panic!("a writer that fails"),
        "5" => Err(form().into()),
        "7" => Err(refused().into()),
        _ => Ok(()),
    });
    let sums = complete(bench.run(&script, Caps::default()).await);
    assert_eq!((sums.written, sums.failed), (67, 3));
    let errors = bench.errors();
    let told: Vec<_> = errors
        .iter()
        .map(|error| (error["line"].as_u64(), error["kind"].as_str().expect("a kind")))
        .collect();
    assert_eq!(
        told,
        [(Some(4), "internal"), (Some(6), "unavailable"), (Some(8), "invalid")],
        "{errors:?}"
    );
    assert_eq!(script.asked(), 70, "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_changes_meanwhile_is_noticed() {
    for change in ["longer", "gone", "other"] {
        let bench = Bench::new(300);
        let input = bench.at("in.jsonl");
        let as_it_was = std::fs::read(&input).expect("the input");
        let is_changed = AtomicBool::new(false);
        let script = Script::new(move |_, _| {
            let text = match std::fs::read_to_string(&input) {
                Ok(text) if !is_changed.swap(true, Ordering::SeqCst) => text,
                _ => return Ok(()),
            };
            match change {
                "gone" => std::fs::remove_file(&input),
                "longer" => std::fs::write(&input, text.replace("ü-00299", "ü-000299")),
                _ => std::fs::write(&input, text.replace("ü-00299", "ü-00298")),
            }
            .expect("changed");
            Ok(())
        });
        let error = bench.run(&script, Caps::default()).await.expect_err("it changed");
        let is_told = match error {
            BatchError::InputChanged { .. } => true,
            // The next job looked before anybody noticed.
            BatchError::Unreadable { .. } => change == "gone",
            _ => false,
        };
        assert!(is_told, "{change}: {error}");
        assert!(script.asked() < 300 && !bench.output().exists(), "{change}");
        // What was paid for isn't forgotten, also where nothing was made of it.
        let paid = script.paid.load(Ordering::SeqCst) as u64;
        std::fs::write(bench.at("in.jsonl"), as_it_was).expect("brought back");
        complete(bench.run(&script, Caps::default()).await);
        let used = Used { tokens: paid * TOKENS, cost_micros: paid * MICROS };
        assert_eq!(*script.began_with.lock().unwrap(), Some((Caps::default(), used)), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_gone_on_with_by_the_same_means_only() {
    let bench = Bench::new(130);
    let call = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let order = || {
        let mut order = bench.order(tokens(100));
        order.inputs = Inputs::Files(vec![bench.at("in.jsonl"), call.clone()]);
        order
    };
    let go = |zone: &'static str, heard_by: &'static str| {
        let zone = TimeZone::get(zone).expect("a zone");
        let means = Means { zone, recogniser: Arc::new(Deaf(heard_by)), store: None };
        let script = Script::new(|_, _| Ok(()));
        let (order, bench) = (order(), &bench);
        async move { bench.with(order, &script, means, CancellationToken::new()).await }
    };
    let (why, _) = stopped(go("Europe/London", "whisper").await);
    assert_eq!(why, Halt::Budget);
    for (zone, heard_by) in [("Asia/Tokyo", "whisper"), ("Europe/London", "another")] {
        let error = go(zone, heard_by).await.expect_err("it is another batch");
        assert!(matches!(error, BatchError::OrderChanged { .. }), "{zone} {heard_by}: {error}");
        let told = error.to_string();
        assert!(told.contains("Europe/London") && told.contains("whisper"), "{told}");
    }
    assert_eq!(stopped(go("Europe/London", "whisper").await).0, Halt::Budget);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_nobody_can_hear_now_waits() {
    let bench = Bench::new(5);
    let call = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let mut order = bench.order(Caps::default());
    order.inputs = Inputs::Files(vec![bench.at("in.jsonl"), call]);
    let script = Script::new(|_, _| Ok(()));
    let (why, sums) = stopped(bench.with(order, &script, means(), CancellationToken::new()).await);
    let Halt::Unavailable(why) = why else { panic!("{why:?}") };
    assert!(why.contains("billing-double-charge.wav: nobody listens"), "{why}");
    assert_eq!((sums.written, sums.failed), (5, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_stops_and_goes_on() {
    let bench = Bench::new(500);
    let stop = CancellationToken::new();
    let when = stop.clone();
    let script = Script::new(move |number, _| {
        if number == "90" {
            when.cancel();
        }
        Ok(())
    });
    let order = bench.order(Caps::default());
    let (why, sums) = stopped(bench.with(order, &script, means(), stop).await);
    assert_eq!(why, Halt::Asked);
    assert!((20..200).contains(&sums.written), "{sums:?}");
    let sums = complete(bench.run(&script, Caps::default()).await);
    assert_eq!(sums.written, 500);
    // What was under way is begun anew.
    assert!((500..=504).contains(&script.asked()), "{}", script.asked());
    assert_eq!(conversation(3)["id"], ids(&bench.output())[3].as_str());
}

#[tokio::test]
async fn a_long_look_at_the_input_holds_nobody_up() {
    let bench = Bench::new(1);
    let large = bench.at("large.txt");
    let file = std::fs::File::create(&large).expect("a file");
    file.set_len(512 << 20).expect("a large one");
    let mut order = bench.order(Caps::default());
    order.inputs = Inputs::Files(vec![large.clone()]);
    let script = Script::new(|_, _| Ok(()));
    let open = move || {
        let begun = Instant::now();
        (Batch::open(order, script, means()), begun.elapsed())
    };
    // Most of that is to read the file once.
    let (opened, once) = tokio::task::spawn_blocking(open).await.expect("no panic");
    let Opened::Ready(batch) = opened.expect("it can be read") else {
        panic!("it was done before")
    };
    // It holds the same, but only who reads all of it knows.
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("its time");
    let longest_ms = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&longest_ms);
    let watching = tokio::spawn(async move {
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            longest = longest.max(last.elapsed());
            last = Instant::now();
            told.store(longest.as_millis() as u64, Ordering::SeqCst);
        }
    });
    let sums = complete(batch.run(CancellationToken::new()).await);
    tokio::time::sleep(Duration::from_millis(10)).await;
    watching.abort();
    assert_eq!((sums.written, sums.failed), (0, 1), "it is too large");
    let longest = Duration::from_millis(longest_ms.load(Ordering::SeqCst));
    assert!(longest < once / 2, "nothing else went on for {longest:?}; {once:?} to read it");
}
