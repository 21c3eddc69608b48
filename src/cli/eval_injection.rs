//! `backchannel eval injection DATASET`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Failure;
use crate::evaluate::injection::{
    Attack, Carrier, Dataset, Half, Position, Prediction, Report, Stage, Writer, false_alarms,
};
use crate::models::{self, Llama, LlamaModel, LlamaSettings, writing::Validated};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    /// Quotes, without a model
    Extractive,
    /// The language model in this process
    Embedded,
    /// A script that carries out every order in its prompt, and lies about its sources
    Obedient,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Defences {
    On,
    Off,
    Both,
}

/// Play words that are addressed to a machine through transcript, article, CRM field and mail
///
/// DATASET is a folder of attacks in the form of BIPIA (text_attack_*.json, email_*.jsonl), or of prompts
/// by line (*.jsonl with `id` and `text`). With --clean it holds honest conversations or articles, and
/// what is taken for an order there is counted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval injection injection-bipia/ --writer obedient\n  \
    backchannel eval injection jailbreak-inthewild/ --half test --predictions played.jsonl\n  \
    backchannel eval injection tweetsumm/ --clean")]
pub struct InjectionArgs {
    dataset: PathBuf,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each attack and way
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Who::Obedient)]
    writer: Who,
    /// The embedded model, by its name in the manifest
    #[arg(long, default_value = "smollm2-135m-instruct")]
    model: String,
    #[arg(long, value_enum, default_value_t = Defences::Both)]
    defences: Defences,
    #[arg(long, value_enum, default_value_t = Half::All)]
    half: Half,
    /// Only every so-manieth attack
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Count false alarms in honest words instead
    #[arg(long)]
    clean: bool,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// The data set or the model can't be used, or the predictions can't be written.
pub fn run(args: &InjectionArgs, out: &mut dyn Write) -> Result<(), Failure> {
    if args.clean {
        return clean(args, out);
    }
    let dataset = Dataset::open(&args.dataset)?;
    let wanted = |attack: &&Attack| args.half == Half::All || attack.half() == args.half;
    let attacks: Vec<&Attack> =
        dataset.attacks.iter().filter(wanted).step_by(args.every as usize).collect();
    let writer = match args.writer {
        Who::Extractive => Writer::Extractive,
        Who::Obedient => Writer::Obedient,
        Who::Embedded => embedded(&args.model)?,
    };
    let stage = Stage::new(&writer)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| super::unforeseen(error.into()))?;
    let mut file = args.predictions.as_deref().map(create).transpose()?;
    let defences: &[bool] = match args.defences {
        Defences::On => &[true],
        Defences::Off => &[false],
        Defences::Both => &[true, false],
    };
    let mut report = Report::default();
    for (number, attack) in attacks.iter().enumerate() {
        let mail = number.checked_rem(dataset.mails.len()).map(|at| dataset.mails[at].as_str());
        for way in ways() {
            for has_defences in defences {
                let played = runtime.block_on(stage.play(attack, way, mail, *has_defences));
                report.add(&played);
                if let (Some(file), Some(path)) = (&mut file, &args.predictions) {
                    write_line(file, &played).map_err(|error| cannot_write(path, &error))?;
                }
            }
        }
    }
    if let (Some(file), Some(path)) = (&mut file, &args.predictions) {
        file.flush().map_err(|error| cannot_write(path, &error))?;
    }
    let mut line = json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": dataset.sha256,
        "models": { "writer": writer.name() },
        "version": env!("CARGO_PKG_VERSION"),
        "half": args.half.as_str(),
        "texts": attacks.len(),
    });
    if let (Some(line), Value::Object(metrics)) = (line.as_object_mut(), report.to_json()) {
        line.extend(metrics);
    }
    let table = if args.json { String::new() } else { report.table() };
    writeln!(out, "{table}{line}")
        .map_err(|error| cannot_write(Path::new("standard output"), &error))
}

fn ways() -> impl Iterator<Item = (Carrier, Position)> {
    Carrier::ALL.into_iter().flat_map(|carrier| Position::ALL.map(|position| (carrier, position)))
}

fn clean(args: &InjectionArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let alarms = false_alarms(&args.dataset)?;
    let mut line = json!({
        "dataset": args.dataset.display().to_string(),
        "data_sha256": alarms.sha256,
        "models": {},
        "version": env!("CARGO_PKG_VERSION"),
        "false_alarm_rate": alarms.flagged as f64 / alarms.texts.max(1) as f64,
    });
    if let (Some(line), Value::Object(metrics)) = (line.as_object_mut(), json!(alarms)) {
        line.extend(metrics);
    }
    let mut text = String::new();
    if !args.json {
        text = format!("{} of {} texts hold an order\n", alarms.flagged, alarms.texts);
    }
    writeln!(out, "{text}{line}")
        .map_err(|error| cannot_write(Path::new("standard output"), &error))
}

fn embedded(name: &str) -> Result<Writer, Failure> {
    let installed = models::installed(name)?;
    let model = LlamaModel::load(installed.file("model.gguf")?)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let settings = LlamaSettings {
        provider: "embedded".to_owned(),
        model: name.to_owned(),
        threads,
        queue_max: 8,
        context_tokens: 4_096,
    };
    let llama = Llama::start(&model, settings)?;
    Ok(Writer::Model(Arc::new(Validated::new(Arc::new(llama))), name.to_owned()))
}

fn create(path: &Path) -> Result<BufWriter<std::fs::File>, Failure> {
    let file = std::fs::File::create(path).map_err(|error| cannot_write(path, &error))?;
    Ok(BufWriter::new(file))
}

fn write_line(file: &mut impl Write, played: &Prediction) -> std::io::Result<()> {
    serde_json::to_writer(&mut *file, played)?;
    file.write_all(b"\n")
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::invalid(format!("{}: can't be written: {error}", path.display()))
}
