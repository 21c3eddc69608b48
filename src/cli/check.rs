//! `backchannel check`: is everything right before it is needed?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::config::Config;
use crate::knowledge::{Library, LibrarySettings, Source};
use crate::models::{self, Manifest};

/// Check settings, articles and models, and print the effective settings without secrets.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder of articles, instead of the one in the settings
    #[arg(long, value_name = "DIR")]
    knowledge: Option<PathBuf>,
}

/// # Errors
/// How many things are wrong; each has been printed.
pub fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    println!("{}", config.to_toml());
    let mut wrong = 0;
    let manifest = Manifest::built_in();
    for name in [&config.speech.finals_model, &config.speech.partials_model] {
        let state = manifest.model(name).and_then(|_| models::installed(name));
        if let Err(error) = state {
            eprintln!("{error}");
            wrong += 1;
        }
    }
    if let Some(folder) = args.knowledge.as_ref().or(config.knowledge.folder.as_ref()) {
        let library = Library::open(&LibrarySettings::new(Source::Folder(folder.clone())))?;
        for complaint in library.complaints() {
            eprintln!("{}/{complaint}", folder.display());
        }
        wrong += library.complaints().len();
        println!("# {}: {} articles", folder.display(), library.articles().len());
    }
    match wrong {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(Failure::invalid("one thing is wrong, see above")),
        wrong => Err(Failure::invalid(format!("{wrong} things are wrong, see above"))),
    }
}
