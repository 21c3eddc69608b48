//! `backchannel eval asr DATASET`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::transcribe::Progress;
use super::{Failure, is_same_file};
use crate::app;
use crate::config::{Speech, language_of};
use crate::domain::ErrorKind;
use crate::evaluate::asr::{AsrReport, Dataset, DatasetError, Item, Prediction, cpu_seconds};
use crate::evaluate::hear::{HearError, hear};
use crate::flow::audio::AudioFile;
use crate::flow::transcript::{SpokenTurn, TranscriptSettings};
use crate::models::{Hints, Order, SpeechPool, Urgency};

/// Compare what is heard in recordings with what is said in them
///
/// DATASET is a folder with manifest.jsonl: a line for each recording with id, file (WAV, FLAC, …)
/// and text, which is empty where nobody speaks. Each goes through the stages of a live call. Words
/// are compared in the form of Whisper's own evaluation; digits one by one, spoken or written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval asr recordings/\n  \
    backchannel eval asr recordings/ --workers 1 --predictions heard.jsonl --json")]
pub struct AsrArgs {
    /// Folder with manifest.jsonl, or the manifest
    dataset: PathBuf,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each recording: reference, hypothesis, errors, words
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// The recogniser, by its name in the manifest of models
    #[arg(long, default_value = "whisper-base")]
    model: String,
    /// Language of the recordings as ISO 639-1
    #[arg(long, default_value = "en")]
    language: String,
    /// Cores to use [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    workers: usize,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// The data set, a recording or the model can't be used, or the predictions can't be written.
pub fn run(args: &AsrArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let dataset = Dataset::open(&args.dataset)?;
    let language = language_of(&args.language)
        .map_err(|what| Failure::invalid(format!("--language {what}")))?;
    if let Some(path) = &args.predictions {
        let manifest = args.dataset.join("manifest.jsonl");
        let mut inputs = dataset.items.iter().map(|item| item.path.as_path());
        let of_data = |input: &Path| is_same_file(input, path);
        if inputs.any(of_data) || of_data(&args.dataset) || of_data(&manifest) {
            return Err(Failure::invalid(format!(
                "--predictions {} is a file of the data set: name another one",
                path.display()
            )));
        }
    }
    let speech = Speech {
        finals_model: args.model.clone(),
        workers: args.workers,
        language: language.clone(),
        ..Speech::default()
    };
    if let Some(mistake) = speech.mistakes().first() {
        return Err(Failure::invalid(mistake.as_str()));
    }
    let mut predictions_file = args.predictions.as_deref().map(create).transpose()?;
    let workers = match args.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        workers => workers,
    };
    let second_opinion = speech.partials_model.clone();
    let pool = app::speech_pool(&speech)?;
    wait_until_warm(&pool, workers)?;

    let progress = Progress::new(dataset.items.len(), args.json);
    let (begun, cpu_begun) = (Instant::now(), cpu_seconds());
    let hints = Hints {
        language: (language != "auto").then(|| language.as_str().into()),
        ..Hints::default()
    };
    let heard = hear_all(&dataset.items, &pool, &hints, workers, &progress);
    let wall = begun.elapsed().as_secs_f64();
    let cpu = cpu_seconds().zip(cpu_begun).map(|(now, then)| now - then);
    progress.finish();
    let predictions = heard?;

    if let (Some(file), Some(path)) = (&mut predictions_file, &args.predictions) {
        for prediction in &predictions {
            serde_json::to_writer(&mut *file, prediction)
                .map_err(std::io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|error| cannot_write(path, &error))?;
        }
        file.flush().map_err(|error| cannot_write(path, &error))?;
    }
    let report = AsrReport::of(&predictions);
    let mut line = json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "models": { "finals": args.model, "second_opinion": second_opinion },
        "language": language,
        "version": env!("CARGO_PKG_VERSION"),
        "workers": workers,
    });
    if let (Some(line), serde_json::Value::Object(metrics)) =
        (line.as_object_mut(), report.to_json(wall, cpu))
    {
        line.extend(metrics);
    }
    let printed = match args.json {
        true => Ok(()),
        false => out.write_all(table(&report, wall, cpu).as_bytes()),
    };
    printed
        .and_then(|()| writeln!(out, "{line}"))
        .map_err(|error| cannot_write(Path::new("standard output"), &error))
}

fn create(path: &Path) -> Result<BufWriter<std::fs::File>, Failure> {
    let file = std::fs::File::create(path).map_err(|error| cannot_write(path, &error))?;
    Ok(BufWriter::new(file))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::invalid(format!("{}: can't be written: {error}", path.display()))
}

/// A worker's first decoding allocates, which is no part of what is measured.
fn wait_until_warm(pool: &SpeechPool, workers: usize) -> Result<(), Failure> {
    let (reply, answers) = mpsc::channel();
    for _ in 0..workers {
        let reply = reply.clone();
        let samples = vec![0.0; crate::models::SAMPLE_RATE_HZ as usize];
        let order = Order::new(Urgency::Early, samples);
        // Nobody listens any more only when the command has failed.
        pool.submit(
            order,
            Box::new(move |_| {
                let _ = reply.send(());
            }),
        );
    }
    for _ in 0..workers {
        answers.recv().map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    }
    Ok(())
}

/// As many recordings at once as there are workers; the first that can't be used ends it.
fn hear_all(
    items: &[Item],
    pool: &SpeechPool,
    hints: &Hints,
    workers: usize,
    progress: &Progress,
) -> Result<Vec<Prediction>, Failure> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<Prediction, Failure>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number) else { return };
                    let heard = one(item, pool, hints, progress);
                    if heard.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    progress.file_done();
                    // A panic elsewhere is reported by the scope.
                    let Ok(mut done) = done.lock() else { return };
                    done.push((number, heard));
                }
            });
        }
    });
    let mut done =
        done.into_inner().map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, heard)| heard).collect()
}

fn one(
    item: &Item,
    pool: &SpeechPool,
    hints: &Hints,
    progress: &Progress,
) -> Result<Prediction, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        let reason = format!("{} {error}", item.path.display());
        Failure::from(DatasetError { place: item.place.clone(), reason })
    };
    let file = AudioFile::open(&item.path).map_err(|error| unusable(&error))?;
    let mut counted = progress.begin(file.duration_ms());
    let begun = Instant::now();
    let settings = TranscriptSettings::default();
    let mut turns: Vec<SpokenTurn> = Vec::new();
    for channel in 0..file.channels.len() {
        let samples = file.channel_16k(channel).map_err(|error| unusable(&error))?;
        let heard = hear(pool, &samples, &settings, hints).map_err(|error| match error {
            HearError::Stopped | HearError::Undecoded(_) => {
                Failure::new(ErrorKind::Internal, format!("{}: {error}", item.path.display()))
            }
        })?;
        turns.extend(heard);
    }
    turns.sort_by_key(|turn| turn.start_ms);
    let words = turns.iter().flat_map(|turn| &turn.words).map(|word| word.text.as_str());
    let text = words.collect::<Vec<_>>().join(" ");
    let latency = begun.elapsed().as_secs_f64();
    counted.reach(file.duration_ms());
    Ok(Prediction::of(item, text, file.duration_ms() as f64 / 1_000.0, latency))
}

fn table(report: &AsrReport, wall_seconds: f64, cpu_seconds: Option<f64>) -> String {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut rows = vec![
        ("recordings", format!("{}, {:.0} s", report.items, report.audio_seconds)),
        ("wall time", format!("{wall_seconds:.1} s")),
    ];
    if let Some(wer) = report.wer() {
        rows.push(("word error rate", format!("{} of {} words", percent(wer), report.words)));
    }
    if let Some(right) = report.digit_accuracy() {
        rows.push(("digits right", format!("{} of {}", percent(right), report.digits)));
    }
    rows.push(("words where nobody speaks", report.invented_words.to_string()));
    if let Some(cpu) = cpu_seconds {
        let each = cpu / report.audio_seconds.max(1e-9);
        rows.push(("CPU seconds per second of audio", format!("{each:.3}")));
    }
    rows.iter().map(|(name, value)| format!("{name:<32} {value}\n")).collect()
}
