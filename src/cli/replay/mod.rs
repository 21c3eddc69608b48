//! `backchannel replay`: plays recorded calls into a running service at real speed, and shows what
//! it makes of them.

mod calls;
mod error;
mod player;
mod print;
mod report;
mod service;
mod sse;
mod wire;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use self::calls::Calls;
pub use self::error::ReplayError;
use self::print::{Printer, Style};
pub use self::report::table;
use self::service::{Service, StreamItem};
pub use self::sse::{SseEvent, SseParser};
pub use self::wire::{Script, WireProtocol};
use crate::domain::Role;
use crate::evaluate::live::{LiveReport, Played, Reference, cited_articles};
use crate::evaluate::stretches::{Stretch, loud_stretches};
use crate::flow::audio::AudioFile;

/// Play recorded calls into a running service.
///
/// Two-channel WAV (PCM, float, µ-law, A-law; 8 to 48 kHz) or FLAC; several files play at once.
/// Ends when everything that was said is durable.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Recordings
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The service
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// How to send the audio
    #[arg(long, value_enum, default_value_t = WireProtocol::Twilio)]
    pub protocol: WireProtocol,
    /// Times real speed
    #[arg(long, default_value_t = 1.0, value_name = "X", value_parser = speed)]
    pub speed: f64,
    /// Who is on which channel [default: customer,agent; with one channel: mixed]
    #[arg(long, value_enum)]
    pub channels: Option<Channels>,
    /// Print turns and cards as they come
    #[arg(long)]
    pub follow: bool,
    /// Print the raw events, one a line
    #[arg(long)]
    pub json: bool,
    /// Print delays, word errors and cards at the end (compares with FILE.json where it lies there)
    #[arg(long)]
    pub report: bool,
    /// A key of the service
    #[arg(long, env = "BACKCHANNEL_API_KEY", hide_env_values = true, hide = true)]
    pub api_key: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Channels {
    #[value(name = "customer,agent")]
    CustomerAgent,
    #[value(name = "agent,customer")]
    AgentCustomer,
    Customer,
    Agent,
    Mixed,
}

impl Channels {
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::CustomerAgent => &[Role::Customer, Role::Agent],
            Self::AgentCustomer => &[Role::Agent, Role::Customer],
            Self::Customer => &[Role::Customer],
            Self::Agent => &[Role::Agent],
            Self::Mixed => &[Role::Mixed],
        }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed <= 100.0 => Ok(speed),
        _ => Err("use a number above 0, at most 100".to_owned()),
    }
}

/// The whole command.
pub fn run(args: Args) -> Result<(), ReplayError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| ReplayError::Bug(error.to_string()))?;
    let outcome = runtime.block_on(replay(args, &mut std::io::stdout()));
    // Whatever still reads from the network isn't waited for.
    runtime.shutdown_background();
    outcome.map(drop)
}

/// Plays all files and answers with the report on those that went well.
///
/// # Errors
/// The first failure; the others are printed.
pub async fn replay(
    args: Args,
    out: &mut (dyn std::io::Write + Send),
) -> Result<LiveReport, ReplayError> {
    let service = Service::new(&args.url, args.api_key.clone())?;
    let mut recordings = Vec::new();
    for path in &args.files {
        recordings.push(Recording::open(path, &args)?);
    }
    // Without a word for it on the wire, the event stream tells when all is durable.
    let silent = args.protocol.ends_with().is_none();
    let listens = args.follow || args.json || args.report || silent;
    let mut events = if listens { Some(service.events().await?) } else { None };
    let epoch = Instant::now();
    let external_ids = recordings.iter().map(|recording| recording.script.external_id().to_owned());
    let mut calls = Calls::new(epoch, external_ids.collect(), listens);
    let mut players = JoinSet::new();
    for (index, recording) in recordings.iter().enumerate() {
        let (service, name) = (service.clone(), recording.name.clone());
        let (script, protocol, speed) = (recording.script.clone(), args.protocol, args.speed);
        players.spawn(async move {
            (index, player::play(&service, protocol, &script, speed, &name).await)
        });
    }

    let style = Style::detect(std::io::stdout().is_terminal(), |name| std::env::var(name).ok());
    let mut printer = Printer::new(style);
    let mut failures = Vec::new();
    while !players.is_empty() || calls.anything_open() {
        tokio::select! {
            // Events first: what was said before a call's end is then printed before it.
            biased;
            item = next(&mut events) => {
                let (at, event) = match item {
                    Some(item) => item?,
                    None => return Err(ReplayError::Bug("the event stream ended".to_owned())),
                };
                let Some((index, envelope)) = calls.take(at, &event.data) else { continue };
                let several = recordings.len() > 1;
                let name = several.then(|| recordings[index].name.as_str());
                let text = match (args.json, args.follow) {
                    (true, _) => format!("{}\n", event.data),
                    (false, true) => printer.event(name, &envelope),
                    (false, false) => String::new(),
                };
                // A reader that went away, such as `head`, is no reason to break off the call.
                let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
            Some(played) = players.join_next(), if !players.is_empty() => match played {
                Ok((index, Ok(sent_at))) => calls.played(index, &sent_at),
                Ok((index, Err(failure))) => {
                    calls.failed(index);
                    failures.push(failure);
                }
                Err(panic) => return Err(ReplayError::Bug(panic.to_string())),
            },
            () = sleep_until(calls.deadline()), if players.is_empty() => {
                for index in calls.give_up() {
                    let file = recordings[index].name.clone();
                    let seconds = player::FINISH_PATIENCE.as_secs();
                    failures.push(ReplayError::Unfinished { file, seconds });
                }
            }
        }
    }
    let _ = out.write_all(printer.clear().as_bytes());

    let mut total = LiveReport::default();
    if args.report {
        for (index, recording) in recordings.iter().enumerate() {
            let Some((events, sent_at)) = calls.finished(index) else { continue };
            let mut articles = std::collections::BTreeMap::new();
            for id in cited_articles(events) {
                if let Some(body) = service.article(&id).await {
                    articles.insert(id, body);
                }
            }
            let reference = recording.reference.as_ref();
            total += crate::evaluate::live::report(&Played {
                events,
                sent_at,
                reference,
                stretches: &recording.stretches,
                articles: &articles,
            });
        }
        if total.calls > 0 {
            let text = format!("\n{}", table(&total));
            if args.json {
                // Standard output stays one event a line.
                let _ = std::io::stderr().write_all(text.as_bytes());
            } else {
                let _ = out.write_all(text.as_bytes());
            }
        }
    }
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else { return Ok(total) };
    for failure in failures {
        eprintln!("error: {failure}");
    }
    Err(first)
}

async fn next(events: &mut Option<tokio::sync::mpsc::Receiver<StreamItem>>) -> Option<StreamItem> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

struct Recording {
    name: String,
    script: Arc<Script>,
    reference: Option<Reference>,
    stretches: Vec<Stretch>,
}

impl Recording {
    fn open(path: &Path, args: &Args) -> Result<Self, ReplayError> {
        let name = path.display().to_string();
        let file = AudioFile::open(path)
            .map_err(|fault| ReplayError::File { file: name.clone(), fault })?;
        for warning in &file.warnings {
            eprintln!("warning: {name}: {warning}");
        }
        let channels = file.channels.len();
        let default = if channels == 1 { Channels::Mixed } else { Channels::CustomerAgent };
        let roles = args.channels.unwrap_or(default).roles();
        if roles.len() != channels {
            let fault = format!(
                "--channels names {} but {name} has {channels}: leave it out, or name as many",
                roles.len()
            );
            return Err(ReplayError::Arguments(fault));
        }
        let external_id = args.protocol.external_id(rand::random());
        let script = Script::new(&file, roles, args.protocol, external_id)
            .map_err(|fault| ReplayError::Audio { file: name.clone(), fault })?;
        let reference = if args.report { reference(&path.with_extension("json"))? } else { None };
        let short = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let loud = |(role, channel): (&Role, &Vec<f32>)| {
            loud_stretches(role.as_str(), channel, file.sample_rate_hz)
        };
        let stretches = roles.iter().zip(&file.channels).flat_map(loud).collect();
        Ok(Self { name: short.unwrap_or(name), script: Arc::new(script), reference, stretches })
    }
}

fn reference(path: &Path) -> Result<Option<Reference>, ReplayError> {
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(None) };
    let wrong = |error: serde_json::Error| {
        let place = path.display();
        ReplayError::Arguments(format!("{place} is no reference of a call: {error}"))
    };
    serde_json::from_str(&text).map(Some).map_err(wrong)
}
