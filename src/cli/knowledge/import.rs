//! `backchannel knowledge import PATH…`

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Url;

use super::Outcome as Ending;
use super::target::{Refusal, TargetArgs};
use crate::batch::articles::{Found, gather, gather_site};
use crate::domain::ErrorKind;
use crate::knowledge::FileArticle;

const SHOWN: &str = "{pos} of {len} pages {bar:40}";

const EXAMPLES: &str = "\
Examples:
  backchannel knowledge import docs/                  a Markdown tree into the running service
  backchannel knowledge import faq.csv manual.pdf --prefix faq/
  backchannel knowledge import docs/ --data /var/lib/backchannel --dry-run
  backchannel knowledge import https://help.example.com/sitemap.xml --allow-host help.example.com

Reads Markdown (front matter in TOML or YAML), HTML, text, PDF, DOCX, CSV, JSON, JSON Lines, and zip archives of
these; and of a sitemap or an index of sitemaps the pages that are HTML, Markdown, text or PDF. What is new or has changed since the last import is published; the same again changes nothing,
and what people have changed since is kept. Articles that came from files before and are not there
now are named as missing, and stay. Exit code 2: something was refused, the rest was taken.";

/// Take articles over from files; the same import again changes nothing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArgs {
    /// Files and folders; or the address of a sitemap
    #[arg(required = true, value_name = "PATH|URL")]
    paths: Vec<PathBuf>,
    /// Fetch from this host, and from no other; may be given several times
    #[arg(long, value_name = "HOST[:PORT]")]
    allow_host: Vec<String>,
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
    let is_lacking = |path: &&PathBuf| address(path).is_none() && !path.exists();
    if let Some(path) = args.paths.iter().find(is_lacking) {
        let why = format!("there is no {}", path.display());
        return Err(Refusal::new(ErrorKind::Invalid, why).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(import(args, out))
}

/// Of a sitemap.
fn address(path: &Path) -> Option<Url> {
    let text =
        path.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://"));
    Url::parse(text?).ok()
}

async fn import(args: &ImportArgs, out: &mut dyn Write) -> anyhow::Result<Ending> {
    let target = args.target.open().await?;
    let mut articles: BTreeMap<String, (FileArticle, String)> = BTreeMap::new();
    let mut refused: Vec<String> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    // There, and not readable this time: not missing.
    let mut unread: BTreeSet<String> = BTreeSet::new();
    let mut take = |found: Found| {
        let place = found.place;
        notes.extend(found.notes.iter().map(|note| format!("{place}: {note}")));
        match found.article {
            Err(why) => {
                refused.push(format!("{place}: {why}"));
                unread.extend(found.id.map(|id| id.to_string()));
            }
            Ok(article) => {
                let id = article.id.to_string();
                match articles.get(&id) {
                    Some((_, first)) => refused
                        .push(format!("{place}: the id {id} stands twice; {first} was taken")),
                    None => drop(articles.insert(id, (article, place))),
                }
            }
        }
    };
    let (sites, paths): (Vec<_>, Vec<_>) =
        args.paths.iter().cloned().partition(|path| address(path).is_some());
    gather(&paths, &args.prefix, &mut take);
    for sitemap in sites.iter().filter_map(|site| address(site)) {
        let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(SHOWN)?);
        let on_progress = |read: usize, of: usize| {
            bar.set_length(of as u64);
            bar.set_position(read as u64);
        };
        let hosts = &args.allow_host;
        let gathered = gather_site(&sitemap, hosts, &args.prefix, &mut take, &on_progress).await;
        bar.finish_and_clear();
        gathered.map_err(|why| Refusal::new(ErrorKind::Invalid, why))?;
    }
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
    let missing = ours.filter(|id| known.binary_search(id).is_err());
    let missing: Vec<&String> = missing.filter(|id| !unread.contains(*id)).collect();
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
