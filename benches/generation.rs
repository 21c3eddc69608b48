//! What the way through our guards adds to a provider's own time to the first text.
//!
//! A scripted server on loopback answers after 2 ms; the same request goes to it bare (reqwest, the
//! first event with text) and through a whole chain (form, budget, retries, breaker, places, measures,
//! async-openai), in turn, over connections that are kept. Run: `cargo bench --bench generation`;
//! `-- --requests N`. Last line: JSON with milliseconds at p50 and p95, and what is added, whose bar
//! is 5 at p95.

#[path = "../tests/it/llm/fake.rs"]
#[expect(dead_code, reason = "the tests' server can do more than this bench needs")]
mod fake;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::connect::llm::{OpenAi, Server};
use backchannel::domain::TenantId;
use backchannel::models::writing::{Chain, Ledger, Limits, Link, Measured, Policy, guarded};
use backchannel::models::{
    Generator, Material, Message, OutputSchema, Piece, Speaker, WritingRequest, WritingTask,
};
use clap::Parser;
use fake::{Fake, Reply};
use futures_util::StreamExt;
use hdrhistogram::Histogram;

const WARM_UP: usize = 50;

#[derive(Debug, Parser)]
struct Options {
    #[arg(long, default_value_t = 2_000)]
    requests: usize,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let fake = Fake::new([Reply::Sensible]).await;
    let client = Arc::new(OpenAi::new(Server::new("lab", fake.url.parse()?, "tiny"))?);
    let measured = Measured::new(client, "openai", Arc::new(|_| "tiny".to_owned()));
    let limits = Limits { tokens_per_day: Some(u64::MAX), ..Limits::default() };
    let ledger = Arc::new(Ledger::new(limits, BTreeMap::new()));
    let writer = guarded(Arc::new(measured), &Policy::default(), &ledger);
    let chain = Chain::new(vec![Link { generator: writer, reserve: Duration::ZERO }]);
    let bare = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;

    let request = request();
    let body = serde_json::json!({
        "model": "tiny", "stream": true, "stream_options": {"include_usage": true},
        "max_tokens": request.max_tokens, "temperature": 0.0,
        "messages": [{"role": "user", "content": request.messages[0].content}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "sentence"}},
    });
    let url = format!("{}/chat/completions", fake.url);
    let mut through = Histogram::<u64>::new(3)?;
    let mut alone = Histogram::<u64>::new(3)?;
    for round in 0..WARM_UP + options.requests {
        let without = first_text_bare(&bare, &url, &body).await?;
        let with = first_text(&chain, &request).await?;
        if round >= WARM_UP {
            alone.record(without.as_micros() as u64)?;
            through.record(with.as_micros() as u64)?;
        }
    }
    let ms = |histogram: &Histogram<u64>, q: f64| histogram.value_at_quantile(q) as f64 / 1e3;
    let (p50, p95) = (ms(&through, 0.5) - ms(&alone, 0.5), ms(&through, 0.95) - ms(&alone, 0.95));
    println!(
        "time to the first text of {} requests with {} characters: bare p50 {:.2} ms, p95 {:.2} ms; \
         through the chain p50 {:.2} ms, p95 {:.2} ms",
        options.requests,
        request.messages[0].content.len(),
        ms(&alone, 0.5),
        ms(&alone, 0.95),
        ms(&through, 0.5),
        ms(&through, 0.95),
    );
    let result = serde_json::json!({
        "requests": options.requests,
        "bare_p50_ms": ms(&alone, 0.5), "bare_p95_ms": ms(&alone, 0.95),
        "chain_p50_ms": ms(&through, 0.5), "chain_p95_ms": ms(&through, 0.95),
        "added_p50_ms": p50, "added_p95_ms": p95, "bar_ms": 5.0,
    });
    println!("{result}");
    Ok(())
}

async fn first_text(writer: &dyn Generator, request: &WritingRequest) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut first = None;
    writer
        .write(request, &mut |piece| {
            if let Piece::Text(_) = piece {
                first.get_or_insert_with(|| began.elapsed());
            }
        })
        .await?;
    first.ok_or_else(|| anyhow::anyhow!("no text came"))
}

async fn first_text_bare(
    client: &reqwest::Client,
    url: &str,
    body: &serde_json::Value,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut pieces = client.post(url).json(body).send().await?.bytes_stream();
    let mut first = None;
    let mut text = Vec::new();
    while let Some(piece) = pieces.next().await {
        text.extend_from_slice(&piece?);
        if first.is_none() && text.windows(7).any(|window| window == b"content") {
            first = Some(began.elapsed());
        }
    }
    first.ok_or_else(|| anyhow::anyhow!("no text came"))
}

/// As long as the transcript of a call of some minutes.
fn request() -> WritingRequest {
    let turn = "[t-1] customer: My direct debit went out twice this month, and I want it back.\n";
    let schema = serde_json::json!({
        "type": "object", "required": ["text", "cites"],
        "properties": {"text": {"type": "string"}, "cites": {"type": "array"}}
    });
    WritingRequest {
        tenant: TenantId::from("acme"),
        job: None,
        meter: None,
        task: WritingTask::Summary,
        prompt: None,
        messages: vec![Message { speaker: Speaker::User, content: turn.repeat(100) }],
        material: Arc::new(Material::default()),
        schema: Some(OutputSchema { name: "sentence".to_owned(), schema: Arc::new(schema) }),
        max_tokens: 200,
        temperature: 0.0,
        seed: None,
        deadline: Duration::from_secs(10),
    }
}
