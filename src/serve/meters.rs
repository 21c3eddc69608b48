//! Counters, gauges and histograms, in the form that Prometheus reads.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// As often as the exporter's own task does it.
const UPKEEP: Duration = Duration::from_secs(5);

/// From a keyword search to a long wait, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

/// What OpenTelemetry advises for language models.
const MODEL_SECONDS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const MODEL_TOKENS: [f64; 9] = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0];

/// Makes this process's recorder the first time, and finds it again later.
pub fn install() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .and_then(|builder| {
                let times = Matcher::Prefix("gen_ai.client.operation".to_owned());
                let tokens = Matcher::Full("gen_ai.client.token.usage".to_owned());
                let builder = builder.set_buckets_for_metric(times, &MODEL_SECONDS)?;
                builder.set_buckets_for_metric(tokens, &MODEL_TOKENS)
            })
            .expect("there are buckets; this is a bug");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; /metrics stays empty");
        }
        handle
    })
}

/// Sorts what histograms were given into their buckets, as `render` does: without either, a service
/// that nobody scrapes would keep every single value.
pub async fn keep_up(stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        install().run_upkeep();
    }
}

pub fn render() -> String {
    let handle = install();
    handle.run_upkeep();
    handle.render()
}

/// Counts and times a request under its route's pattern, never under its address.
pub async fn measure(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "page".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().as_str().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("backchannel_serve_requests_total",
        "route" => route.clone(), "method" => method, "status" => status)
    .increment(1);
    metrics::histogram!("backchannel_serve_request_seconds", "route" => route)
        .record(begun.elapsed().as_secs_f64());
    response
}
