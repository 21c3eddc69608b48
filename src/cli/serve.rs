//! `backchannel serve`: the service.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Failure, place_of};
use crate::app::{Access, App};
use crate::config::{Config, Secret, StoreUrl, home_folder};
use crate::domain::ErrorKind;

/// For threads that compute what nobody waits for any more.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  backchannel serve --demo                     sample knowledge base, made-up key, sign-in link
  backchannel serve --config backchannel.toml  your own settings
  BACKCHANNEL__AUTH__API_KEY=… backchannel serve

Settings come from the file, then from the environment (BACKCHANNEL__SECTION__KEY), then from flags.
`backchannel check` prints the effective ones. RUST_LOG=debug logs more; no customer's words are logged.";

/// Take live calls and serve transcripts, cards and the agent desktop.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Serve the sample knowledge base under a made-up key, and print a sign-in link
    #[arg(long)]
    demo: bool,
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Folder for the event log [default: ~/.local/share/backchannel]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Written once the service answers: {"url":…,"api_key":…} (the key in the demo only)
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

impl ServeArgs {
    fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref(), std::env::vars())?;
        if let Some(listen) = self.listen {
            config.serve.listen = listen;
        }
        match (&self.data, self.demo) {
            (Some(folder), _) => config.store.folder.clone_from(folder),
            // The demo's calls don't mix with real ones.
            (None, true) => {
                config.store.folder =
                    home_folder("XDG_DATA_HOME", ".local/share").join("backchannel-demo");
                config.store.url = StoreUrl::default();
            }
            (None, false) => {}
        }
        // A key from the usual variable of the other commands counts as well.
        if config.auth.api_key.is_none()
            && let Ok(key) = std::env::var("BACKCHANNEL_API_KEY")
            && !key.is_empty()
            && !self.demo
        {
            config.auth.api_key = Some(Secret::new(key));
        }
        Ok(config)
    }
}

/// # Errors
/// What keeps the service from starting.
pub fn run(args: &ServeArgs) -> Result<ExitCode, Failure> {
    let config = args.config()?;
    log_to_stderr();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    let ended = runtime.block_on(serve(args, config));
    // All is durable by now. What a thread is still computing, nobody waits for.
    runtime.shutdown_timeout(LAST_PATIENCE);
    ended?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(args: &ServeArgs, config: Config) -> Result<(), Failure> {
    let app = App::build(config, args.demo).await?;
    let stop = app.stop_token();
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        eprintln!("ending: live calls are finished first; again to stop at once");
        stop.cancel();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    let ready_file = args.ready_file.clone();
    let mut written = Ok(());
    app.run(|access| {
        announce(access);
        if let Some(path) = &ready_file {
            written = write_ready_file(path, access);
        }
    })
    .await?;
    written
}

fn announce(access: &Access) {
    println!("serving on {}", access.url);
    for (wire, address) in &access.media {
        println!("{wire} on {address}");
    }
    if let Some(link) = &access.sign_in_url {
        println!("agent desktop: {link}");
    }
    if let Some(key) = &access.api_key {
        println!("API key of this run: {key}");
    }
}

/// Written whole or not at all: whoever waits for it may look at any moment.
fn write_ready_file(path: &Path, access: &Access) -> Result<(), Failure> {
    let mut ready = serde_json::json!({ "url": access.url });
    if let Some(key) = &access.api_key {
        ready["api_key"] = key.as_str().into();
    }
    if let Some(link) = &access.sign_in_url {
        ready["sign_in_url"] = link.as_str().into();
    }
    let unwritable = |error: std::io::Error| {
        Failure::invalid(format!("the ready file {} can't be written: {error}", path.display()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(unwritable)?;
    std::fs::write(file.path(), ready.to_string()).map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,backchannel=info"));
    // It logs answers that it can't read, and those are about what customers say.
    let filter =
        filter.add_directive("async_openai=off".parse().expect("it is a directive; this is a bug"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.init();
    } else {
        log.with_ansi(false).init();
    }
    // From here on there is a log to report it to.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{}", place_of(panic.location()))));
}
