//! `backchannel check`: is everything right before it is needed?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::app;
use crate::config::{Config, ProviderKind};
use crate::knowledge::{Library, LibrarySettings, Source};
use crate::models::{self, Manifest};
use crate::prompts::{self, Prompts};

/// Check settings, prompts, articles, models, the routing plan, categories and intents, and print the effective settings without secrets.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder of articles, instead of the one in the settings
    #[arg(long, value_name = "DIR")]
    knowledge: Option<PathBuf>,
    /// A folder of prompts, instead of those in the program: for whoever writes new ones
    #[arg(long, value_name = "DIR")]
    prompts: Option<PathBuf>,
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
    for name in config.speech.glossary.iter().filter(|name| models::is_too_short(name)) {
        eprintln!("warning: speech.glossary: {name:?} has no effect: names need five letters");
    }
    if let Some(folder) = args.knowledge.as_ref().or(config.knowledge.folder.as_ref()) {
        let library = Library::open(&LibrarySettings::new(Source::Folder(folder.clone())))?;
        for complaint in library.complaints() {
            eprintln!("{}/{complaint}", folder.display());
        }
        wrong += library.complaints().len();
        println!("# {}: {} articles", folder.display(), library.articles().len());
    }
    wrong += prompts(args, &config)?;
    for (name, provider) in &config.generation.providers {
        if matches!(provider.kind, ProviderKind::OpenAi | ProviderKind::Azure)
            && let Err(error) = app::server(name, provider, &|name| std::env::var(name).ok())
        {
            eprintln!("{error}");
            wrong += 1;
        }
    }
    wrong += systems(&config);
    wrong += routing(&config);
    match wrong {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(Failure::invalid("one thing is wrong, see above")),
        wrong => Err(Failure::invalid(format!("{wrong} things are wrong, see above"))),
    }
}

/// The company's other systems, made as they are at the start; none is asked for anything.
fn systems(config: &Config) -> usize {
    let made = app::crm::systems(config, config.wrapup.zone());
    match made.and_then(|systems| app::crm::inbox(config).map(|_| systems)) {
        Ok(systems) => {
            for (name, kind, system, _) in &systems.destinations {
                println!("# {kind}: {system}, called {name:?}");
            }
            0
        }
        Err(error) => {
            let mistakes = error.to_string();
            eprintln!("{mistakes}");
            mistakes.lines().count()
        }
    }
}

/// The routing plan, the router that is told, categories and intents: every mistake of each, with its place.
fn routing(config: &Config) -> usize {
    let mut wrong: Vec<String> = Vec::new();
    let checked = app::routing::check(config);
    checked.lines.iter().for_each(|line| println!("# {line}"));
    wrong.extend(checked.mistakes);
    match app::insights::categories(config, false) {
        Ok(all) if all.rules().is_empty() => {}
        Ok(all) => println!("# categories: {} rules", all.rules().len()),
        Err(mistakes) => wrong.extend(mistakes.lines().map(str::to_owned)),
    }
    match app::insights::intents(config, false) {
        Ok(None) => {}
        Ok(Some(files)) => println!("# intents: {}", files.intents.len()),
        Err(mistakes) => wrong.extend(mistakes.lines().map(str::to_owned)),
    }
    wrong.iter().for_each(|one| eprintln!("{one}"));
    wrong.len()
}

/// The prompts' own check, and those that tenants have instead.
fn prompts(args: &CheckArgs, config: &Config) -> Result<usize, Failure> {
    let report = prompts::check(args.prompts.as_deref())?;
    for error in &report.wrong {
        eprintln!("{error}");
    }
    println!("# {} prompts, {} cases", report.prompts, report.cases);
    let mut wrong = report.wrong.len();
    match Prompts::open(&config.prompts) {
        Ok(set) => {
            for (tenant, prompt) in set.list() {
                let Some(tenant) = tenant else { continue };
                let used = prompt.reference();
                println!(
                    "# tenant {tenant}: own prompt {} v{} {}",
                    used.id, used.version, used.sha256
                );
            }
        }
        Err(error) => {
            eprintln!("{error}");
            wrong += 1;
        }
    }
    Ok(wrong)
}
