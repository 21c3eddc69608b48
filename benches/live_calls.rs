//! The numbers of a live call, end to end: recorded calls are played in real time into the service
//! in this process, over real sockets, and what subscribers receive is compared with the references.
//!
//! `cargo bench --bench live_calls` plays the three demo calls one after the other;
//! `-- --calls N` plays N at once instead; `-- FILE.wav…` plays your own. Needs the models
//! (`make models`). Prints the table of the README.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use backchannel::app::App;
use backchannel::cli::replay::{Args, WireProtocol, replay, table};
use backchannel::config::Config;
use backchannel::evaluate::live::LiveReport;
use clap::Parser;

/// Play recorded calls into an in-process service and print what a subscriber sees.
#[derive(Debug, Parser)]
struct Options {
    /// So many calls at once instead of one after the other
    #[arg(long, default_value_t = 1)]
    calls: usize,
    /// Recordings with their references beside them [default: the three demo calls]
    files: Vec<PathBuf>,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    let calls = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let files = match options.files.is_empty() {
        true => ["billing-double-charge", "moving-home", "outage-cancel-threat"]
            .map(|name| calls.join(format!("{name}.wav")))
            .to_vec(),
        false => options.files.clone(),
    };
    let data = tempfile::tempdir()?;
    let mut config = Config::default();
    config.serve.listen.set_port(0);
    config.store.folder = data.path().to_owned();
    let begun = Instant::now();
    let app = App::build(config, true).await?;
    let ready = begun.elapsed();
    let access = app.access().clone();
    let stop = app.stop_token();
    let service = tokio::spawn(app.run(|_| ()));
    // The first start embeds the sample articles; the numbers are of a warm one.
    wait_for_vectors(&access.url, access.api_key.as_deref().unwrap_or_default()).await?;

    let mut total = LiveReport::default();
    let rounds: Vec<Vec<PathBuf>> = match options.calls {
        0 | 1 => files.iter().map(|file| vec![file.clone()]).collect(),
        calls => vec![files.iter().cycle().take(calls).cloned().collect()],
    };
    for files in rounds {
        let args = Args {
            files,
            url: access.url.clone(),
            protocol: WireProtocol::Twilio,
            speed: 1.0,
            channels: None,
            follow: false,
            json: true,
            report: true,
            api_key: access.api_key.clone(),
        };
        total += replay(args, &mut std::io::sink()).await?;
    }
    println!("\nready after {:.2} s\n{}", ready.as_secs_f64(), table(&total));
    stop.cancel();
    service.await??;
    Ok(())
}

async fn wait_for_vectors(url: &str, key: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::new();
    let deadline = Instant::now() + Duration::from_secs(300);
    while Instant::now() < deadline {
        let request = client.get(format!("{url}/v1/system")).bearer_auth(key);
        let system: serde_json::Value = request.send().await?.error_for_status()?.json().await?;
        if system["degraded"].as_array().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!("the sample articles were not embedded within five minutes")
}
