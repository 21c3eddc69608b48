//! The doors of batches; what is behind them is tested with the whole service in `batch`.

use std::path::PathBuf;

use async_trait::async_trait;
use backchannel::domain::TenantId;
use backchannel::serve::{BatchFile, BatchView, Batches, Failure, WantedBatch};
use reqwest::Method;
use serde_json::json;

use super::harness::*;

/// Knows one batch, which is done and whose files are gone.
pub struct NoBatches;

fn view(state: &str) -> BatchView {
    BatchView {
        id: "b-1".to_owned(),
        created_at: "2026-03-02T10:00:00.000Z".to_owned(),
        state: state.to_owned(),
        total: Some(2),
        written: 1,
        failed: 1,
        tokens: 0,
        detail: None,
        results: Some("/v1/batches/b-1/results".to_owned()),
        errors: None,
        provenance: None,
    }
}

fn is_ours(tenant: &TenantId, id: &str) -> bool {
    tenant.as_str() == "demo" && id == "b-1"
}

#[async_trait]
impl Batches for NoBatches {
    async fn begin(&self, _: &TenantId, _: WantedBatch) -> Result<BatchView, Failure> {
        Ok(view("queued"))
    }

    async fn list(&self, tenant: &TenantId) -> Result<Vec<BatchView>, Failure> {
        Ok(if is_ours(tenant, "b-1") { vec![view("done")] } else { Vec::new() })
    }

    async fn show(&self, tenant: &TenantId, id: &str) -> Result<Option<BatchView>, Failure> {
        Ok(is_ours(tenant, id).then(|| view("done")))
    }

    async fn cancel(&self, tenant: &TenantId, id: &str) -> Result<Option<BatchView>, Failure> {
        Ok(is_ours(tenant, id).then(|| view("cancelled")))
    }

    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<bool, Failure> {
        Ok(is_ours(tenant, id))
    }

    async fn file(
        &self,
        tenant: &TenantId,
        id: &str,
        _: BatchFile,
    ) -> Result<Option<PathBuf>, Failure> {
        Ok(is_ours(tenant, id).then(|| PathBuf::from("/none.jsonl")))
    }
}

#[tokio::test]
async fn batches_are_begun_watched_and_refused() {
    let house = House::open().await;
    let turns = json!([{"id": "a", "turns": []}]);
    for (body, status) in [
        (json!({"items": turns}), 202),
        (json!({"conversations": {}, "what": ["summary", "email"], "format": "vcon"}), 202),
        (json!({}), 422),
        (json!({"items": [], "what": []}), 422),
        (json!({"items": turns, "conversations": {}}), 422),
        (json!({"items": turns, "what": ["poem"]}), 422),
        (json!({"items": turns, "format": "xml"}), 422),
        (json!({"items": turns, "colour": "red"}), 422),
        (json!({"conversations": {"ids": ["c-1", "c-2"]}}), 202),
        (json!({"conversations": {"ids": ["c-1\nc-2"]}}), 422),
        (json!({"conversations": {"ids": [""]}}), 422),
        (json!({"conversations": {"ids": ["x".repeat(300)]}}), 422),
    ] {
        let answer = house.call(Method::POST, "/v1/batches", Some(body.clone())).await;
        assert_eq!(answer.0, status, "{body}: {}", answer.1);
    }
    for (method, path, status) in [
        (Method::GET, "/v1/batches", 200),
        (Method::GET, "/v1/batches/b-1", 200),
        (Method::GET, "/v1/batches/b-2", 404),
        (Method::POST, "/v1/batches/b-1/cancel", 200),
        (Method::POST, "/v1/batches/b-2/cancel", 404),
        (Method::DELETE, "/v1/batches/b-1", 204),
        (Method::DELETE, "/v1/batches/b-2", 404),
        (Method::GET, "/v1/batches/b-1/results", 404),
        (Method::GET, "/v1/batches/b-2/errors", 404),
        (Method::GET, "/v1/batches/b-2/provenance", 404),
    ] {
        let answer = house.call(method, path, None).await;
        assert_eq!(answer.0, status, "{path}: {}", answer.1);
    }
}
