//! `backchannel eval redaction DATASET`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::evaluate::redaction::{
    Dataset, Figures, Item, Label, Report, compare, find, generated, predictions,
};

/// Count what is masked of labelled secrets, and what else
///
/// Words are counted by their types. Sentences of a template are on one side: the rules were written looking at half of the
/// templates; `held_out` are the others.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval redaction sentences/ --peer presidio.jsonl\n  \
    backchannel eval redaction --generated 4000 --seed 8 --json")]
pub struct RedactionArgs {
    /// Folder with labelled.jsonl, or that file: id, text, template_id, spans with type, start and end
    #[arg(required_unless_present = "generated")]
    dataset: Option<PathBuf>,
    /// Count what another program found, too: a line of JSON for each sentence, with id and spans
    #[arg(long, value_name = "FILE", requires = "dataset")]
    peer: Option<PathBuf>,
    /// Instead make so many conversations, half of them with a card number
    #[arg(long, value_name = "CASES", conflicts_with = "dataset")]
    generated: Option<usize>,
    /// Chooses the conversations that are made
    #[arg(long, default_value_t = 8)]
    seed: u64,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write a line of JSON for each sentence with what was found, or for each made conversation that went wrong
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

/// Prints the figures; the last line is JSON.
///
/// # Errors
/// When the dataset or the peer's file can't be used, or a file can't be written.
pub fn run(args: &RedactionArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    match (&args.dataset, args.generated) {
        (Some(dataset), _) => labelled(dataset, args, out),
        (None, count) => cards(count.unwrap_or_default(), args, out),
    }
}

fn labelled(path: &Path, args: &RedactionArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let data = Dataset::open(path)?;
    // The lists are unpacked once, at the first name.
    find("Anna");
    let begun = Instant::now();
    let own: Vec<Vec<Label>> = data.items.iter().map(|item| find(&item.text)).collect();
    let us_per_item = begun.elapsed().as_secs_f64() * 1e6 / data.items.len() as f64;
    let peer = args.peer.as_deref().map(|file| predictions(file, &data.items)).transpose()?;
    if let Some(file) = &args.predictions {
        write_found(file, &data.items, &own)?;
    }
    let reports = parts(&data.items, &own);
    let peers = peer.map(|found| parts(&data.items, &found));
    if !args.json {
        for (at, name) in PARTS.iter().enumerate() {
            write_table(out, name, &reports[at], peers.as_ref().map(|peers| &peers[at]))?;
        }
    }
    let [all, seen, held_out] = &reports;
    let mut line = json!({
        "dataset": path.display().to_string(),
        "data_sha256": data.sha256,
        "models": {},
        "version": env!("CARGO_PKG_VERSION"),
        "us_per_item": us_per_item,
        "parts": {"developed_on": seen, "held_out": held_out},
    });
    if let Some([all, seen, held_out]) = &peers {
        line["peer"] = json!({"all": all, "developed_on": seen, "held_out": held_out});
    }
    if let (Some(line), serde_json::Value::Object(metrics)) = (line.as_object_mut(), json!(all)) {
        line.extend(metrics);
    }
    writeln!(out, "{line}")?;
    Ok(())
}

const PARTS: [&str; 3] = ["all", "developed on", "held out"];

fn parts(items: &[Item], found: &[Vec<Label>]) -> [Report; 3] {
    let part = |keep: fn(&Item) -> bool| {
        let pairs = items.iter().zip(found.iter().map(Vec::as_slice));
        compare(pairs.filter(|(item, _)| keep(item)))
    };
    [part(|_| true), part(|item| !item.is_held_out()), part(Item::is_held_out)]
}

fn write_table(
    out: &mut dyn Write,
    name: &str,
    report: &Report,
    peer: Option<&Report>,
) -> anyhow::Result<()> {
    writeln!(out, "{name}: {} sentences", report.items)?;
    writeln!(
        out,
        "  type              words  precision  recall  F2     peer: precision  recall  F2"
    )?;
    let none = Figures::default();
    let mut row = |name: &str, own: &Figures, peer: Option<&Figures>| {
        let peer = peer.map_or_else(String::new, |peer| {
            format!("            {:.3}      {:.3}   {:.3}", peer.precision, peer.recall, peer.f2)
        });
        writeln!(
            out,
            "  {name:<16}  {:>5}  {:.3}      {:.3}   {:.3}  {peer}",
            own.words, own.precision, own.recall, own.f2
        )
    };
    for (kind, own) in &report.by_type {
        row(kind, own, peer.map(|peer| peer.by_type.get(kind).unwrap_or(&none)))?;
    }
    row("overall", &report.overall, peer.map(|peer| &peer.overall))?;
    row("hidden at all", &report.hidden, peer.map(|peer| &peer.hidden))?;
    Ok(())
}

fn write_found(path: &Path, items: &[Item], found: &[Vec<Label>]) -> anyhow::Result<()> {
    let file =
        std::fs::File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    let mut file = BufWriter::new(file);
    for (item, found) in items.iter().zip(found) {
        let place = |byte: usize| item.text[..byte].chars().count();
        let spans: Vec<_> = found
            .iter()
            .map(|label| {
                json!({"type": label.kind.as_str(), "start": place(label.bytes.start), "end": place(label.bytes.end)})
            })
            .collect();
        serde_json::to_writer(
            &mut file,
            &json!({"id": item.id, "held_out": item.is_held_out(), "spans": spans}),
        )?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

fn cards(count: usize, args: &RedactionArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let cases = generated::cases(count, args.seed);
    let begun = Instant::now();
    let (figures, failed) = generated::measure(&cases);
    let turns: usize = cases.iter().map(|case| case.turns.len()).sum();
    let us_per_turn = begun.elapsed().as_secs_f64() * 1e6 / turns.max(1) as f64;
    if let Some(path) = &args.predictions {
        let mut file = BufWriter::new(
            std::fs::File::create(path)
                .with_context(|| format!("can't write {}", path.display()))?,
        );
        for (number, shown) in &failed {
            let case = &cases[*number];
            let line =
                json!({"case": number, "card": case.card, "turns": case.turns, "shown": shown});
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
    }
    let mut line = json!({"generated": "cards", "seed": args.seed, "version": env!("CARGO_PKG_VERSION"),
        "turns": turns, "us_per_turn": us_per_turn});
    if let (Some(line), serde_json::Value::Object(metrics)) = (line.as_object_mut(), json!(figures))
    {
        line.extend(metrics);
    }
    writeln!(out, "{line}")?;
    Ok(())
}
