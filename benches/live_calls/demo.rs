//! The demo calls, one after the other, into a service in this process.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use backchannel::app::App;
use backchannel::cli::replay::{Args, WireProtocol, replay, table};
use backchannel::config::Config;
use backchannel::evaluate::live::LiveReport;

pub async fn run(files: Vec<PathBuf>) -> anyhow::Result<()> {
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
    for file in files {
        let args = Args {
            files: vec![file],
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
