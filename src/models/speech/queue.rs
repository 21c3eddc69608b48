//! Who comes next.
//!
//! Finals before early decodings before partials. Among equals, workers are shared by start-time fair
//! queueing (Goyal, Vin, Cheng: SIGCOMM 1996) in two levels, tenants and their calls: what somebody was
//! given puts them behind those who were given less, so whoever takes no more than their share is
//! served in the order of asking whatever others do, and no worker idles to punish anybody. Every
//! final may wait equally long, so the order of asking is that of the deadlines.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Caller, JobId, LoadLevel, Pressure, Reply, Urgency};
use crate::domain::TenantId;
use crate::models::transcriber::{Hints, SAMPLE_RATE_HZ};

/// An early decoding of more audio than this only starts when nothing else waits.
const EARLY_MAX_SAMPLES: usize = 6 * SAMPLE_RATE_HZ as usize;
/// What a decoding costs however short it is, in samples.
const FIXED_COST_SAMPLES: u64 = SAMPLE_RATE_HZ as u64 / 2;

pub(super) struct Job {
    pub id: JobId,
    pub urgency: Urgency,
    pub since: Instant,
    pub samples: Vec<f32>,
    pub hints: Hints,
    pub caller: Caller,
    pub reply: Reply,
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
    /// Of finals and early decodings, and of partials: nobody's finals pay for partials that were
    /// to be had.
    spoken: Shares,
    shown: Shares,
}

impl Queue {
    /// The job that a free worker should take.
    pub fn pick(&self, workers: usize, level: LoadLevel) -> Option<usize> {
        let finals_wait = self.jobs.iter().any(|job| job.urgency == Urgency::Final);
        let partials_allowed = workers == 1 || self.partials_running + 1 < workers;
        // A long early decoding may hold a worker for a second: it waits until nothing else does,
        // but never while a worker would idle.
        let class = |job: &Job| {
            let long = job.urgency == Urgency::Early && job.samples.len() > EARLY_MAX_SAMPLES;
            (long, job.urgency)
        };
        let eligible = || {
            self.jobs.iter().enumerate().filter(|(_, job)| match job.urgency {
                Urgency::Final => true,
                Urgency::Early => !finals_wait && level.has_early(),
                Urgency::Partial => !finals_wait && partials_allowed,
            })
        };
        let best = eligible().map(|(_, job)| class(job)).min()?;
        // The first of each tenant, then the first of these.
        let mut firsts: HashMap<&TenantId, (u64, Instant, JobId, usize)> = HashMap::new();
        for (index, job) in eligible().filter(|(_, job)| class(job) == best) {
            let start = match job.urgency {
                // A leg has one at a time: the oldest first is fair, and the least stale.
                Urgency::Partial => 0,
                Urgency::Final | Urgency::Early => self.spoken.start_of_call(&job.caller),
            };
            let place = (start, job.since, job.id, index);
            let first = firsts.entry(&job.caller.tenant).or_insert(place);
            *first = place.min(*first);
        }
        let shares = if best.1 == Urgency::Partial { &self.shown } else { &self.spoken };
        firsts
            .into_iter()
            .min_by_key(|(tenant, (_, since, id, _))| (shares.start_of_tenant(tenant), *since, *id))
            .map(|(_, (_, _, _, index))| index)
    }

    /// Takes a job out, to be decoded.
    pub fn begin(&mut self, index: usize, now: Instant) -> Job {
        let job = self.jobs.swap_remove(index);
        self.partials_running += usize::from(job.urgency == Urgency::Partial);
        self.running.insert(job.id, now);
        let shares =
            if job.urgency == Urgency::Partial { &mut self.shown } else { &mut self.spoken };
        shares.charge(&job.caller, job.samples.len() as u64 + FIXED_COST_SAMPLES, now);
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

/// What tenants and calls were given, in samples on a clock that only runs while they are.
#[derive(Default)]
struct Shares {
    /// Where the last decoding that began has started.
    round: u64,
    tenants: HashMap<TenantId, Tenant>,
    swept: Option<Instant>,
}

struct Tenant {
    /// Where its next decoding may start, if others haven't got further.
    next: u64,
    /// The same as `Shares::round`, among its calls.
    round: u64,
    calls: HashMap<Caller, (u64, Instant)>,
}

impl Shares {
    fn start_of_tenant(&self, tenant: &TenantId) -> u64 {
        self.tenants.get(tenant).map_or(self.round, |tenant| tenant.next.max(self.round))
    }

    fn start_of_call(&self, caller: &Caller) -> u64 {
        let Some(tenant) = self.tenants.get(&caller.tenant) else { return 0 };
        tenant.calls.get(caller).map_or(tenant.round, |(next, _)| (*next).max(tenant.round))
    }

    fn charge(&mut self, caller: &Caller, cost: u64, now: Instant) {
        self.sweep(now);
        let (start, call_start) =
            (self.start_of_tenant(&caller.tenant), self.start_of_call(caller));
        self.round = start;
        let tenant = self.tenants.entry(caller.tenant.clone()).or_insert_with(|| Tenant {
            next: 0,
            round: 0,
            calls: HashMap::new(),
        });
        tenant.next = start + cost;
        tenant.round = call_start;
        tenant.calls.insert(caller.clone(), (call_start + cost, now));
    }

    /// Forgets calls that asked for nothing lately, and tenants without calls.
    fn sweep(&mut self, now: Instant) {
        const LATELY: Duration = Duration::from_secs(30);
        if self.swept.is_some_and(|then| now.saturating_duration_since(then) < LATELY) {
            return;
        }
        self.swept = Some(now);
        self.tenants.retain(|_, tenant| {
            tenant.calls.retain(|_, (_, used)| now.saturating_duration_since(*used) < LATELY);
            !tenant.calls.is_empty()
        });
    }
}
