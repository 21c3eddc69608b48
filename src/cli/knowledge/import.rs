//! `backchannel knowledge import PATH…`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::Outcome as Ending;
use super::target::{Refusal, TargetArgs};
use crate::batch::articles::gather;
use crate::domain::ErrorKind;
use crate::knowledge::FileArticle;

const EXAMPLES: &str = "\
Examples:
  backchannel knowledge import docs/                  a Markdown tree into the running service
  backchannel knowledge import faq.csv manual.pdf --prefix faq/
  backchannel knowledge import docs/ --data /var/lib/backchannel --dry-run

Reads Markdown (front matter in TOML or YAML), HTML, text, PDF, DOCX, CSV, JSON, JSON Lines, and zip archives of
these. What is new or has changed since the last import is published; the same again changes nothing,
and what people have changed since is kept. Articles that came from files before and are not there
now are named as missing, and stay. Exit code 2: something was refused, the rest was taken.";

/// Take articles over from files; the same import again changes nothing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArgs {
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Put before each article's id
    #[arg(long, default_value = "")]
    prefix: String,
    /// Tell what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// # Errors
/// A path isn't there, or the service or folder can't be had.
pub fn run(args: &ImportArgs, out: &mut dyn Write) -> anyhow::Result<Ending> {
    if let Some(path) = args.paths.iter().find(|path| !path.exists()) {
        let why = format!("there is no {}", path.display());
        return Err(Refusal::new(ErrorKind::Invalid, why).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(import(args, out))
}

async fn import(args: &ImportArgs, out: &mut dyn Write) -> anyhow::Result<Ending> {
    let target = args.target.open().await?;
    let mut articles: BTreeMap<String, (FileArticle, String)> = BTreeMap::new();
    let mut refused: Vec<String> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    gather(&args.paths, &args.prefix, &mut |found| {
        let place = found.place;
        notes.extend(found.notes.iter().map(|note| format!("{place}: {note}")));
        match found.article {
            Err(why) => refused.push(format!("{place}: {why}")),
            Ok(article) => {
                let id = article.id.to_string();
                match articles.get(&id) {
                    Some((_, first)) => refused
                        .push(format!("{place}: the id {id} stands twice; {first} was taken")),
                    None => drop(articles.insert(id, (article, place))),
                }
            }
        }
    });
    let known: Vec<String> = articles.keys().cloned().collect();
    let all = articles.into_values().map(|(article, _)| article).collect();
    let outcomes = target.import(all, args.dry_run).await?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in &outcomes {
        *counts.entry(outcome.what.as_str()).or_default() += 1;
        match (&*outcome.what, &outcome.detail) {
            ("unchanged", _) => {}
            ("refused", Some(why)) => refused.push(format!("{}: {why}", outcome.id)),
            (what, Some(why)) => writeln!(out, "{what:9} {}: {why}", outcome.id)?,
            (what, None) => writeln!(out, "{what:9} {}", outcome.id)?,
        }
    }
    let before = target.imported().await?;
    let ours = before.iter().filter(|id| id.starts_with(&args.prefix));
    let missing: Vec<&String> = ours.filter(|id| known.binary_search(id).is_err()).collect();
    for id in &missing {
        writeln!(out, "missing   {id}")?;
    }
    for note in &notes {
        writeln!(out, "note      {note}")?;
    }
    for why in &refused {
        writeln!(out, "refused   {why}")?;
    }
    target.close().await;
    let count = |what| counts.get(what).copied().unwrap_or(0);
    writeln!(
        out,
        "{}{} new, {} changed, {} unchanged, {} kept, {} missing, {} refused",
        if args.dry_run { "would be: " } else { "" },
        count("new"),
        count("changed"),
        count("unchanged"),
        count("kept"),
        missing.len(),
        refused.len(),
    )?;
    Ok(if refused.is_empty() { Ok(()) } else { Err(ErrorKind::Invalid) })
}
