//! Who comes next.
//!
//! Finals have a deadline. Tenants, and calls within a tenant, have a clock each that runs ahead of
//! real time when they take more than their share (Zhang, VirtualClock, SIGCOMM 1990): a decoding
//! counts from its deadline or from its caller's clock, whichever is later. So whoever stays within
//! their share is served by deadline whatever others do, and no worker idles to punish anybody.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::{Caller, JobId, LoadLevel, Pressure, Reply, Urgency};
use crate::domain::{ConversationId, TenantId};
use crate::models::transcriber::{Hints, SAMPLE_RATE_HZ};

/// A final should have begun so long after it was asked for.
const FINAL_PATIENCE: Duration = Duration::from_millis(1_000);
/// An early decoding of more audio than this only starts when nothing else waits.
const EARLY_MAX_SAMPLES: usize = 6 * SAMPLE_RATE_HZ as usize;
/// Nobody is made to pay longer for what they took when it was to be had.
const AHEAD_MAX: Duration = Duration::from_secs(30);
/// A second of audio takes about so much of a worker. Only the ratio between callers matters.
const COST_PER_AUDIO_SECOND: f64 = 0.1;

pub(super) struct Job {
    pub id: JobId,
    pub urgency: Urgency,
    pub since: Instant,
    pub samples: Vec<f32>,
    pub hints: Hints,
    /// When its caller's share allows it.
    pub fair: Instant,
    pub reply: Reply,
}

impl Job {
    fn due(&self) -> Instant {
        (self.since + FINAL_PATIENCE).max(self.fair)
    }
}

#[derive(Default)]
pub(super) struct Queue {
    pub jobs: Vec<Job>,
    pub next_id: u64,
    pub stopping: bool,
    partials_running: usize,
    running: HashMap<JobId, Instant>,
    /// What ended decodings took in all, and how much of it has been told.
    worked: Duration,
    told: Option<(Instant, Duration)>,
    /// The longest that a final waited since that was told.
    waited: Duration,
    tenants: Clocks<TenantId>,
    calls: Clocks<(TenantId, ConversationId)>,
}

impl Queue {
    /// Books a decoding of so much audio, asked for at `now`, and answers when the caller's share
    /// allows it.
    pub fn book(
        &mut self,
        caller: &Caller,
        samples: usize,
        workers: usize,
        now: Instant,
    ) -> Instant {
        let seconds = samples as f64 / f64::from(SAMPLE_RATE_HZ);
        let cost = seconds * COST_PER_AUDIO_SECOND / workers.max(1) as f64;
        self.tenants.forget_idle(now);
        self.calls.forget_idle(now);
        let sharers = self.tenants.others(&caller.tenant) + 1;
        let of_tenant = |(tenant, _): &(TenantId, ConversationId)| *tenant == caller.tenant;
        let key = (caller.tenant.clone(), caller.call.clone());
        let siblings = self.calls.count(|other| of_tenant(other) && *other != key) + 1;
        let tenant = self.tenants.advance(caller.tenant.clone(), cost * sharers as f64, now);
        let call = self.calls.advance(key, cost * (sharers * siblings) as f64, now);
        tenant.max(call)
    }

    /// The job that a free worker should take.
    pub fn pick(&self, workers: usize, level: LoadLevel) -> Option<usize> {
        let finals_wait = self.jobs.iter().any(|job| job.urgency == Urgency::Final);
        let partials_allowed = workers == 1 || self.partials_running + 1 < workers;
        // A long early decoding may hold a worker for a second: it waits until nothing else does,
        // but never while a worker would idle.
        let rank = |job: &Job| {
            let long = job.urgency == Urgency::Early && job.samples.len() > EARLY_MAX_SAMPLES;
            let place = match job.urgency {
                Urgency::Final => job.due(),
                Urgency::Early | Urgency::Partial => job.since.max(job.fair),
            };
            // Turns of a call that are due at the same moment stay in their order.
            (long, job.urgency, place, job.id)
        };
        self.jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| match job.urgency {
                Urgency::Final => true,
                Urgency::Early => !finals_wait && level.has_early(),
                Urgency::Partial => !finals_wait && partials_allowed,
            })
            .min_by_key(|(_, job)| rank(job))
            .map(|(index, _)| index)
    }

    /// Takes a job out, to be decoded.
    pub fn begin(&mut self, index: usize, now: Instant) -> Job {
        let job = self.jobs.swap_remove(index);
        self.partials_running += usize::from(job.urgency == Urgency::Partial);
        self.running.insert(job.id, now);
        if job.urgency == Urgency::Final {
            self.waited = self.waited.max(now.saturating_duration_since(job.since));
        }
        job
    }

    pub fn end(&mut self, id: JobId, urgency: Urgency, now: Instant) {
        self.partials_running -= usize::from(urgency == Urgency::Partial);
        if let Some(begun) = self.running.remove(&id) {
            self.worked += now.saturating_duration_since(begun);
        }
    }

    /// What there was to bear since the last time.
    pub fn pressure(&mut self, now: Instant, workers: usize) -> Pressure {
        let waits = self.jobs.iter().filter(|job| job.urgency == Urgency::Final);
        let waits = waits.map(|job| now.saturating_duration_since(job.since)).max();
        let final_wait = std::mem::take(&mut self.waited).max(waits.unwrap_or_default());
        let so_far = self.running.values().map(|begun| now.saturating_duration_since(*begun));
        let worked = self.worked + so_far.sum::<Duration>();
        let busy = self.told.map_or(0.0, |(then, before)| {
            let there = now.saturating_duration_since(then).as_secs_f32() * workers.max(1) as f32;
            (worked.saturating_sub(before).as_secs_f32() / there.max(1e-3)).min(1.0)
        });
        self.told = Some((now, worked));
        Pressure { final_wait, busy }
    }
}

/// When each of them will have had what it took.
struct Clocks<K>(HashMap<K, Instant>);

impl<K> Default for Clocks<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Clocks<K> {
    fn advance(&mut self, key: K, seconds: f64, now: Instant) -> Instant {
        let clock = self.0.entry(key).or_insert(now);
        *clock = (*clock).max(now) + Duration::from_secs_f64(seconds);
        *clock = (*clock).min(now + AHEAD_MAX);
        *clock
    }

    fn others(&self, key: &K) -> usize {
        self.count(|other| other != key)
    }

    fn count(&self, is_one: impl Fn(&K) -> bool) -> usize {
        self.0.keys().filter(|key| is_one(key)).count()
    }

    /// Whoever has asked for nothing lately shares in nothing.
    fn forget_idle(&mut self, now: Instant) {
        const IDLE: Duration = Duration::from_secs(5);
        self.0.retain(|_, clock| *clock + IDLE > now);
    }
}
