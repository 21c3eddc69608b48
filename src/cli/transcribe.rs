//! `backchannel transcribe FILE…`

mod format;
mod progress;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use self::format::Written;
pub(super) use self::progress::Progress;
use super::replay::Channels;
use super::{Failure, is_same_file};
use crate::app;
use crate::batch::{self, Channel};
use crate::config::Speech;
use crate::flow::audio::AudioFile;
use crate::flow::session::SessionSettings;
use crate::models::SpeechPool;

/// Write down recordings, as a live call would be
///
/// Reads WAV (PCM, float, µ-law, A-law), FLAC, MP3, M4A (AAC) and Ogg Opus with one or two channels.
/// Secrets are masked. A recording that can't be read is named, the others are written, and
/// the exit code is 2.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel transcribe call.wav\n  \
    backchannel transcribe --format jsonl *.flac > turns.jsonl\n  \
    backchannel transcribe --format vcon --output transcripts/ recordings/*.mp3")]
pub struct TranscribeArgs {
    /// Recordings
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Lines to read, one JSON object a turn, or one vCon a recording
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write a file for each recording into this folder [default: everything to standard output]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write each recording into this folder, as WAV, silent where its transcript is masked
    #[arg(long, value_name = "DIR")]
    muted: Option<PathBuf>,
    /// Who is on which channel [default: customer,agent; with one channel: mixed]
    #[arg(long, value_enum)]
    channels: Option<Channels>,
    /// When the recording began, for vCon [default: the file's time less its length]
    #[arg(long, value_name = "TIME")]
    started: Option<Timestamp>,
    /// The recogniser, by its name in the manifest
    #[arg(long, default_value = "whisper-base")]
    model: String,
    /// Cores to use [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    workers: usize,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Jsonl,
    Vcon,
}

impl Format {
    const fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Jsonl => "jsonl",
            Self::Vcon => "vcon.json",
        }
    }
}

/// The whole command.
///
/// # Errors
/// The model isn't there, or the output can't be written. Recordings that can't be used are printed
/// and change the exit code only.
pub fn run(args: &TranscribeArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        check_names(args, "a transcript", &|file| target(folder, file, args.format))?;
    }
    if let Some(folder) = &args.muted {
        std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        check_names(args, "its muted form", &|file| muted_target(folder, file))?;
    }
    let speech =
        Speech { finals_model: args.model.clone(), workers: args.workers, ..Speech::default() };
    let pool = app::speech_pool(&speech)?;
    let workers = match args.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        workers => workers,
    };
    let progress = Progress::new(args.files.len(), args.quiet);
    let next = AtomicUsize::new(0);
    let faults = std::thread::scope(|scope| {
        // A recording's transcript is small: all that wait for their turn may wait here.
        let (done, results) = mpsc::channel();
        for _ in 0..workers.min(args.files.len()) {
            let (next, done, pool, progress) = (&next, done.clone(), &pool, &progress);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = args.files.get(number) else { return };
                    let written = one(args, file, pool, 2 * workers, progress);
                    if done.send((number, written)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        write_in_order(args, &results, &progress, out)
    })?;
    progress.finish();
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Each recording's number among the arguments, and what came of it.
type Results = mpsc::Receiver<(usize, Result<Written, String>)>;

/// Prints what comes, in the order of the arguments. Answers how many recordings failed.
fn write_in_order(
    args: &TranscribeArgs,
    results: &Results,
    progress: &Progress,
    out: &mut dyn Write,
) -> Result<usize, Failure> {
    let mut waiting: BTreeMap<usize, Result<Written, String>> = BTreeMap::new();
    let (mut next, mut faults) = (0, 0);
    for (number, written) in results {
        waiting.insert(number, written);
        while let Some(written) = waiting.remove(&next) {
            let file = &args.files[next];
            next += 1;
            match written {
                Ok(written) => {
                    for warning in &written.warnings {
                        progress.say(&format!("warning: {}: {warning}", file.display()));
                    }
                    deliver(args, file, &written.text, out)?;
                }
                Err(fault) => {
                    faults += 1;
                    progress.say(&format!("error: {}: {fault}", file.display()));
                }
            }
            progress.file_done();
        }
    }
    Ok(faults)
}

fn deliver(
    args: &TranscribeArgs,
    file: &Path,
    text: &str,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match &args.output {
        Some(folder) => {
            let path = target(folder, file, args.format);
            std::fs::write(&path, text).map_err(|error| cannot_write(&path, &error))
        }
        None => out
            .write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| cannot_write(Path::new("standard output"), &error)),
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::invalid(format!("{}: can't be written: {error}", path.display()))
}

fn target(folder: &Path, file: &Path, format: Format) -> PathBuf {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    let mut name = stem.to_owned();
    name.push(format!(".{}", format.extension()));
    folder.join(name)
}

/// Two recordings of one name would overwrite each other's transcript.
fn check_names(
    args: &TranscribeArgs,
    what: &str,
    target: &dyn Fn(&Path) -> PathBuf,
) -> Result<(), Failure> {
    let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    for file in &args.files {
        let written = target(file);
        if let Some(input) = args.files.iter().find(|input| is_same_file(input, &written)) {
            return Err(Failure::invalid(format!(
                "{} would be overwritten by {what}: write them into another folder",
                input.display()
            )));
        }
        if let Some(other) = taken.insert(written, file) {
            return Err(Failure::invalid(format!(
                "{} and {} would be written to the same file: transcribe them into two folders",
                other.display(),
                file.display()
            )));
        }
    }
    Ok(())
}

fn one(
    args: &TranscribeArgs,
    path: &Path,
    pool: &SpeechPool,
    in_flight: usize,
    progress: &Progress,
) -> Result<Written, String> {
    let mut file = AudioFile::open(path).map_err(|error| error.to_string())?;
    let default = if file.channels.len() == 1 { Channels::Mixed } else { Channels::CustomerAgent };
    let roles = args.channels.unwrap_or(default).roles();
    if roles.len() != file.channels.len() {
        return Err(format!(
            "--channels names {} but the recording has {}: leave it out, or name as many",
            roles.len(),
            file.channels.len()
        ));
    }
    let channels: Vec<Channel<'_>> = roles
        .iter()
        .zip(&file.channels)
        .map(|(role, samples)| Channel { role: *role, samples })
        .collect();
    let mut counted = progress.begin(file.duration_ms());
    let transcript = batch::transcribe(
        pool,
        &channels,
        file.sample_rate_hz,
        &SessionSettings::default(),
        in_flight,
        &mut |heard_ms| counted.reach(heard_ms),
    )
    .map_err(|error| error.to_string())?;
    if let Some(folder) = &args.muted {
        let (target, silences) = (muted_target(folder, path), batch::silences(&transcript));
        batch::mute(&mut file.channels, file.sample_rate_hz, &silences);
        let written = batch::write_wav(&target, &file);
        written.map_err(|error| format!("{} can't be written: {error}", target.display()))?;
    }
    let started = args.started.or_else(|| began(path, file.duration_ms()));
    Ok(format::write(args.format, path, &transcript, started, file.warnings))
}

fn muted_target(folder: &Path, file: &Path) -> PathBuf {
    folder.join(file.file_stem().unwrap_or_default()).with_extension("wav")
}

/// A recorder closes its file when the call is over.
fn began(path: &Path, duration_ms: u64) -> Option<Timestamp> {
    let ended = std::fs::metadata(path).ok()?.modified().ok()?;
    let length = SignedDuration::try_from(Duration::from_millis(duration_ms)).ok()?;
    Timestamp::try_from(ended).ok()?.checked_sub(length).ok()
}
