//! The queue under load, on a clock of its own: workers and callers are played, nothing waits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::queue::{Job, Queue};
use super::{Caller, Hints, JobId, LoadLevel, Outcome, Urgency};
use crate::domain::{ConversationId, TenantId};
use crate::models::transcriber::SAMPLE_RATE_HZ;

/// One decoding that somebody asks for.
#[derive(Clone, Copy, Debug)]
struct Ask {
    at_ms: u64,
    tenant: usize,
    call: usize,
    urgency: Urgency,
    audio_ms: u64,
}

/// What became of it, in the order in which decodings began.
#[derive(Clone, Copy, Debug)]
struct Began {
    ask: Ask,
    wait_ms: u64,
    /// What else waited at that moment, by urgency.
    finals_waiting: usize,
}

struct Machine {
    workers: usize,
    /// Decoding time for a second of audio.
    cost_ms: u64,
    level: LoadLevel,
}

impl Machine {
    /// Plays everything to its end in steps of 5 ms.
    fn play(&self, asks: &[Ask]) -> Vec<Began> {
        const STEP_MS: u64 = 5;
        let epoch = Instant::now();
        let mut asks: Vec<Ask> = asks.to_vec();
        asks.sort_by_key(|ask| ask.at_ms);
        let mut queue = Queue::default();
        let mut of_job: BTreeMap<u64, Ask> = BTreeMap::new();
        let mut busy: Vec<Option<(u64, JobId, Urgency)>> = vec![None; self.workers];
        let mut began = Vec::new();
        let (mut now_ms, mut next) = (0, 0);
        while next < asks.len() || !queue.jobs.is_empty() || busy.iter().any(Option::is_some) {
            let now = epoch + Duration::from_millis(now_ms);
            for worker in &mut busy {
                if let Some((until_ms, id, urgency)) = *worker
                    && until_ms <= now_ms
                {
                    queue.end(id, urgency, now);
                    *worker = None;
                }
            }
            while let Some(ask) = asks.get(next).copied().filter(|ask| ask.at_ms <= now_ms) {
                next += 1;
                let samples = (ask.audio_ms * u64::from(SAMPLE_RATE_HZ) / 1_000) as usize;
                of_job.insert(next as u64, ask);
                queue.jobs.push(Job {
                    id: JobId(next as u64),
                    urgency: ask.urgency,
                    since: now,
                    samples: vec![0.0; samples],
                    hints: Hints::default(),
                    caller: caller(ask),
                    reply: Box::new(|_: Outcome| ()),
                });
            }
            for worker in busy.iter_mut().filter(|worker| worker.is_none()) {
                let Some(index) = queue.pick(self.workers, self.level) else {
                    let finals = queue.jobs.iter().filter(|job| job.urgency == Urgency::Final);
                    assert_eq!(finals.count(), 0, "a worker idles while a final waits");
                    break;
                };
                let job = queue.begin(index, now);
                let ask = of_job[&job.id.0];
                let finals = queue.jobs.iter().filter(|job| job.urgency == Urgency::Final);
                let finals_waiting = finals.count();
                let takes_ms = (ask.audio_ms * self.cost_ms / 1_000).max(STEP_MS);
                *worker = Some((now_ms + takes_ms, job.id, job.urgency));
                began.push(Began { ask, wait_ms: now_ms - ask.at_ms, finals_waiting });
            }
            now_ms += STEP_MS;
            assert!(now_ms < 3_600_000, "it never ends");
        }
        began
    }
}

fn caller(ask: Ask) -> Caller {
    Caller {
        tenant: TenantId::from(format!("tenant-{}", ask.tenant)),
        call: ConversationId::from(format!("call-{}-{}", ask.tenant, ask.call)),
    }
}

/// A turn of `audio_ms` every `every_ms` in each call, one call after the other.
fn talk(tenant: usize, calls: usize, every_ms: u64, audio_ms: u64, seconds: u64) -> Vec<Ask> {
    let turns = seconds * 1_000 / every_ms;
    (0..calls)
        .flat_map(|call| {
            let first_ms = every_ms * call as u64 / calls as u64;
            (0..turns).map(move |turn| Ask {
                at_ms: first_ms + turn * every_ms,
                tenant,
                call,
                urgency: Urgency::Final,
                audio_ms,
            })
        })
        .collect()
}

/// The wait below which the share `q` of them lies, of one tenant's finals.
fn wait_ms(began: &[Began], q: f64, is_one: impl Fn(&Ask) -> bool) -> u64 {
    let mut waits: Vec<u64> =
        began.iter().filter(|began| is_one(&began.ask)).map(|began| began.wait_ms).collect();
    waits.sort_unstable();
    waits[((waits.len() - 1) as f64 * q) as usize]
}

const TWO_WORKERS: Machine = Machine { workers: 2, cost_ms: 100, level: LoadLevel::Normal };

#[test]
fn a_tenant_with_a_hundred_calls_does_not_starve_one_with_two() {
    // 100 calls ask for 3.3 times of what two workers can do; two calls for a fifteenth of it.
    let mut asks = talk(0, 100, 6_000, 4_000, 30);
    asks.extend(talk(1, 2, 6_000, 4_000, 30));
    let began = TWO_WORKERS.play(&asks);
    let (big, small) = (|ask: &Ask| ask.tenant == 0, |ask: &Ask| ask.tenant == 1);
    assert!(wait_ms(&began, 0.5, big) > 10_000, "the big one is far beyond what there is");
    let worst = wait_ms(&began, 1.0, small);
    assert!(worst <= 1_500, "the small one waits {worst} ms");
}

#[test]
fn a_call_that_asks_for_everything_does_not_starve_its_siblings() {
    let mut asks = talk(0, 4, 6_000, 4_000, 30);
    asks.extend(talk(0, 1, 100, 4_000, 30).into_iter().map(|ask| Ask { call: 9, ..ask }));
    let began = TWO_WORKERS.play(&asks);
    let worst = wait_ms(&began, 1.0, |ask| ask.call != 9);
    assert!(worst <= 1_500, "the modest calls wait {worst} ms");
}

#[test]
fn without_too_much_to_do_nobody_waits_for_fairness() {
    // Half of what there is, all of it by one tenant.
    let began = TWO_WORKERS.play(&talk(0, 15, 6_000, 4_000, 60));
    assert!(wait_ms(&began, 1.0, |_| true) <= 400);
}

#[test]
fn of_partials_the_oldest_comes_first() {
    let asks: Vec<Ask> = (0..20)
        .map(|call| {
            let urgency = Urgency::Partial;
            Ask { at_ms: call as u64 * 5, tenant: call % 3, call, urgency, audio_ms: 1_000 }
        })
        .collect();
    let began = Machine { workers: 1, ..TWO_WORKERS }.play(&asks);
    let order: Vec<usize> = began.iter().map(|began| began.ask.call).collect();
    assert!(order.is_sorted(), "{order:?}");
}

fn an_ask() -> impl Strategy<Value = Ask> {
    let urgency = prop_oneof![Just(Urgency::Final), Just(Urgency::Early), Just(Urgency::Partial)];
    (0_u64..5_000, 0_usize..4, 0_usize..5, urgency, 200_u64..12_000).prop_map(
        |(at_ms, tenant, call, urgency, audio_ms)| Ask { at_ms, tenant, call, urgency, audio_ms },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_asked_for_is_done_once_and_nothing_passes_a_final(
        asks in prop::collection::vec(an_ask(), 1..60),
        workers in 1_usize..5,
    ) {
        let machine = Machine { workers, ..TWO_WORKERS };
        let began = machine.play(&asks);
        prop_assert_eq!(began.len(), asks.len());
        for one in &began {
            prop_assert!(one.ask.urgency == Urgency::Final || one.finals_waiting == 0, "{:?}", one);
        }
    }

    #[test]
    fn finals_of_a_call_begin_in_the_order_of_its_turns(
        turns in prop::collection::vec(200_u64..8_000, 2..20),
        others in prop::collection::vec(an_ask(), 0..40),
    ) {
        let call = 99;
        let ours = turns.iter().enumerate().map(|(turn, audio_ms)| Ask {
            at_ms: turn as u64 * 400, tenant: 0, call, urgency: Urgency::Final, audio_ms: *audio_ms,
        });
        let began = TWO_WORKERS.play(&ours.chain(others).collect::<Vec<_>>());
        let order: Vec<u64> =
            began.iter().filter(|b| b.ask.call == call).map(|b| b.ask.at_ms).collect();
        prop_assert!(order.is_sorted(), "{:?}", order);
    }
}
