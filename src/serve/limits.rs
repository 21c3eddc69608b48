//! How much each tenant may ask for: requests by a token bucket, open streams by a count.
//!
//! What is over the limit is refused before any work is done for it, so one tenant that asks too much costs the
//! others next to nothing. Settings `[limits]`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::error::Problem;
use crate::domain::TenantId;

/// Settings `[limits]`; for each tenant.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Requests that are answered in a second, on average; 0 is no limit.
    pub requests_per_second: u32,
    /// So many may come at once after a pause; 0: as many as in two seconds.
    pub burst: u32,
    /// Event streams that may be open at the same time; 0 is no limit.
    pub streams: usize,
}

/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Limits(Arc<Inner>);

#[derive(Default)]
struct Inner {
    settings: LimitSettings,
    tenants: Mutex<HashMap<TenantId, Tenant>>,
}

struct Tenant {
    /// What is left at `at`, in requests.
    left: f64,
    at: Instant,
    streams: usize,
}

/// A stream that is counted as long as it lives.
pub struct OpenStream(Option<(Limits, TenantId)>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        let Some((limits, tenant)) = self.0.take() else { return };
        limits.change(&tenant, |one, _| one.streams = one.streams.saturating_sub(1));
    }
}

impl Limits {
    pub fn new(settings: LimitSettings) -> Self {
        Self(Arc::new(Inner { settings, tenants: Mutex::default() }))
    }

    /// Takes one request from what a tenant may have.
    ///
    /// # Errors
    /// 429, with the time after which there is room again.
    pub fn take(&self, tenant: &TenantId) -> Result<(), Problem> {
        if self.0.settings.requests_per_second == 0 {
            return Ok(());
        }
        self.take_at(tenant, Instant::now()).map_err(|wait| {
            metrics::counter!("backchannel_serve_limited_total", "tenant" => tenant.to_string())
                .increment(1);
            let LimitSettings { requests_per_second, .. } = self.0.settings;
            let detail = format!(
                "{requests_per_second} requests a second are what this tenant may have (limits.requests_per_second)"
            );
            too_many(detail, wait)
        })
    }

    fn take_at(&self, tenant: &TenantId, now: Instant) -> Result<(), Duration> {
        self.change(tenant, |one, settings| {
            let rate = f64::from(settings.requests_per_second);
            let passed = now.saturating_duration_since(one.at).as_secs_f64();
            one.left = (one.left + passed * rate).min(settings.burst());
            one.at = one.at.max(now);
            if one.left >= 1.0 {
                one.left -= 1.0;
                return Ok(());
            }
            Err(Duration::from_secs_f64((1.0 - one.left) / rate))
        })
    }

    /// Counts a stream until what comes back is dropped.
    ///
    /// # Errors
    /// 429: there are as many as there may be.
    pub fn open_stream(&self, tenant: &TenantId) -> Result<OpenStream, Problem> {
        let max = self.0.settings.streams;
        if max == 0 {
            return Ok(OpenStream(None));
        }
        let is_open = self.change(tenant, |one, _| {
            let fits = one.streams < max;
            one.streams += usize::from(fits);
            fits
        });
        match is_open {
            true => Ok(OpenStream(Some((self.clone(), tenant.clone())))),
            false => {
                let detail = format!(
                    "{max} streams are open, which is what this tenant may have (limits.streams)"
                );
                Err(too_many(detail, Duration::from_secs(5)))
            }
        }
    }

    fn change<T>(
        &self,
        tenant: &TenantId,
        change: impl FnOnce(&mut Tenant, &LimitSettings) -> T,
    ) -> T {
        let settings = &self.0.settings;
        let mut tenants = self.0.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        // Only tenants that somebody has a key for come here, so there is an end to them.
        let fresh = || Tenant { left: settings.burst(), at: Instant::now(), streams: 0 };
        change(tenants.entry(tenant.clone()).or_insert_with(fresh), settings)
    }
}

impl LimitSettings {
    fn burst(&self) -> f64 {
        match self.burst {
            0 => f64::from(self.requests_per_second) * 2.0,
            burst => f64::from(burst),
        }
        .max(1.0)
    }
}

fn too_many(detail: String, wait: Duration) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "limited", detail).retry_after(wait)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(requests_per_second: u32, burst: u32, streams: usize) -> Limits {
        Limits::new(LimitSettings { requests_per_second, burst, streams })
    }

    #[test]
    fn a_burst_then_the_rate_each_tenant_by_itself() {
        let limits = limits(10, 3, 0);
        let (ada, bo) = (TenantId::from("ada"), TenantId::from("bo"));
        let begun = Instant::now() + Duration::from_secs(1);
        for _ in 0..3 {
            assert!(limits.take_at(&ada, begun).is_ok());
        }
        let wait = limits.take_at(&ada, begun).expect_err("the burst is over");
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert!(limits.take_at(&bo, begun).is_ok(), "another's is untouched");
        assert!(limits.take_at(&ada, begun + Duration::from_millis(101)).is_ok());
        assert!(limits.take_at(&ada, begun + Duration::from_millis(102)).is_err());
        assert!(limits.take_at(&ada, begun).is_err(), "a clock that goes back gives nothing");
    }

    #[test]
    fn streams_count_while_they_are_open() {
        let (limits, tenant) = (limits(0, 0, 2), TenantId::from("ada"));
        let one = limits.open_stream(&tenant).expect("room");
        let _two = limits.open_stream(&tenant).expect("room");
        assert!(limits.open_stream(&tenant).is_err());
        assert!(limits.open_stream(&"bo".into()).is_ok());
        drop(one);
        assert!(limits.open_stream(&tenant).is_ok());
    }

    proptest! {
        /// However requests come, no stretch of time gives more than the burst and the rate.
        #[test]
        fn no_more_than_the_rate(gaps_ms in proptest::collection::vec(0u64..200, 1..200)) {
            let (limits, tenant) = (limits(20, 5, 0), TenantId::from("ada"));
            let begun = Instant::now() + Duration::from_secs(1);
            let (mut now, mut taken) = (begun, 0u32);
            for gap in gaps_ms {
                now += Duration::from_millis(gap);
                taken += u32::from(limits.take_at(&tenant, now).is_ok());
            }
            let most = 5.0 + 20.0 * (now - begun).as_secs_f64() + 1e-6;
            prop_assert!(f64::from(taken) <= most.ceil(), "{} of {}", taken, most);
        }
    }
}
