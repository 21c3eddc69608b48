//! The model in this process beside llama.cpp's own bench with the same file, in turns, so that a busy
//! machine is busy for both: tokens a second of a prompt, and of what is written after nothing.
//!
//! Run: `cargo bench --bench embedded`; `-- --threads N --rounds N --prompt N --written N`. With
//! `--as-format q4_0` or `q8_0` both read a copy of the file whose matrices are rounded to that format,
//! for which llama.cpp has faster kernels than for Q4_1. The peer is the one that `.ci/llama_server` builds; without it only our own numbers come. Last line: JSON with
//! medians, the best rounds (what else runs only makes slower), and ratios, whose bars are 0.4 for the prompt and 0.6 for what is written.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use backchannel::models::{LlamaModel, installed};
use candle_core::Device;
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use clap::Parser;

#[derive(Debug, Parser)]
struct Options {
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(long, default_value_t = 512)]
    prompt: usize,
    #[arg(long, default_value_t = 128)]
    written: usize,
    #[arg(long, default_value = "smollm2-135m-instruct")]
    model: String,
    #[arg(long)]
    as_format: Option<String>,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// Tokens a second.
#[derive(Default)]
struct Rates {
    prompt: Vec<f64>,
    written: Vec<f64>,
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let installed = installed(&options.model).context("`backchannel models pull` fetches it")?;
    let file = installed.file("model.gguf").context("it has one")?;
    let peer = peer(file);
    let copy = tempfile::NamedTempFile::new()?;
    let file = match &options.as_format {
        Some(format) => {
            rounded(file, copy.path(), format)?;
            copy.path()
        }
        None => file,
    };
    let began = std::time::Instant::now();
    let model = LlamaModel::load(file)?;
    let loaded_s = began.elapsed().as_secs_f64();
    let mib = model.weight_bytes() as f64 / f64::from(1 << 20);
    println!("{}: loaded in {loaded_s:.2} s, weights {mib:.1} MiB", options.model);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    let (mut ours, mut theirs) = (Rates::default(), Rates::default());
    for round in 0..=options.rounds {
        let (prompt_s, _) = pool.install(|| model.time(options.prompt, 0));
        let (_, written_s) = pool.install(|| model.time(1, options.written));
        if round == 0 {
            continue; // Memory and caches are cold.
        }
        ours.prompt.push(options.prompt as f64 / prompt_s);
        ours.written.push(options.written as f64 / written_s);
        if let Some(peer) = &peer {
            theirs.prompt.push(llama_cpp(peer, file, &options, options.prompt, 0)?);
            theirs.written.push(llama_cpp(peer, file, &options, 0, options.written)?);
        }
        let last = |rates: &[f64]| rates.last().copied().unwrap_or(f64::NAN);
        println!(
            "prompt {:.0} against {:.0} tokens/s, written {:.1} against {:.1}",
            last(&ours.prompt),
            last(&theirs.prompt),
            last(&ours.written),
            last(&theirs.written),
        );
    }
    let (prompt, written) = (median(&ours.prompt), median(&ours.written));
    let (peer_prompt, peer_written) = (median(&theirs.prompt), median(&theirs.written));
    let best = |rates: &[f64]| rates.iter().copied().fold(f64::NAN, f64::max);
    let result = serde_json::json!({
        "best_prompt_tokens_per_s": best(&ours.prompt),
        "best_written_tokens_per_s": best(&ours.written),
        "best_prompt_ratio": best(&ours.prompt) / best(&theirs.prompt),
        "best_written_ratio": best(&ours.written) / best(&theirs.written),
        "threads": options.threads, "loaded_s": loaded_s, "weights_mib": mib,
        "prompt_tokens_per_s": prompt, "written_tokens_per_s": written,
        "llama_cpp_prompt_tokens_per_s": peer_prompt,
        "llama_cpp_written_tokens_per_s": peer_written,
        "prompt_ratio": prompt / peer_prompt, "written_ratio": written / peer_written,
    });
    println!("{result}");
    Ok(())
}

/// A copy with matrices of another format.
fn rounded(from: &Path, to: &Path, format: &str) -> anyhow::Result<()> {
    let format = match format {
        "q4_0" => GgmlDType::Q4_0,
        "q8_0" => GgmlDType::Q8_0,
        other => anyhow::bail!("{other} is neither q4_0 nor q8_0"),
    };
    let mut file = std::fs::File::open(from)?;
    let content = gguf_file::Content::read(&mut file)?;
    let mut tensors = Vec::new();
    for name in content.tensor_infos.keys() {
        let tensor = content.tensor(&mut file, name, &Device::Cpu)?;
        let tensor = match tensor.shape().rank() {
            2 => QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, format)?,
            _ => tensor,
        };
        tensors.push((name.as_str(), tensor));
    }
    let values: Vec<_> = content.metadata.iter().map(|(name, value)| (&**name, value)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(to)?, &values, &tensors)?;
    Ok(())
}

/// It stands beside the models.
fn peer(file: &Path) -> Option<PathBuf> {
    let cache = file.ancestors().nth(4)?;
    let peer = cache.join("llama-server/llama-bench");
    peer.exists().then_some(peer)
}

/// One run of theirs, which warms up by itself.
fn llama_cpp(
    peer: &Path,
    file: &Path,
    options: &Options,
    prompt: usize,
    written: usize,
) -> anyhow::Result<f64> {
    let output = Command::new(peer)
        .arg("--model")
        .arg(file)
        .args(["--threads", &options.threads.to_string(), "--repetitions", "1"])
        .args(["--n-prompt", &prompt.to_string(), "--n-gen", &written.to_string()])
        .args(["--output", "json"])
        .output()?;
    let runs: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    runs[0]["avg_ts"].as_f64().context("it says how fast it was")
}
