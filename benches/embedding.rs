//! Passages through the embedding model, one thread: ours, candle as it comes, and with
//! `-- --peer` ONNX Runtime (`benches/peers/embedding.py`), in turns on the same passages, so that a
//! busy machine is busy for all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use backchannel::evaluate::asr::cpu_seconds;
use backchannel::knowledge::{Library, LibrarySettings, Source};
use backchannel::models::embedder::Embedder;
use backchannel::models::installed;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::Tokenizer;

const ROUNDS: usize = 5;
/// Passages are put together up to so many characters: about 164 tokens.
const CHARS: usize = 760;
const PASSAGES: usize = 96;

/// What one engine made of the passages, and the CPU time of it.
type Made = (Vec<Vec<f32>>, f64);

fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let library = Library::open(&LibrarySettings::new(Source::Folder(folder))).expect("it opens");
    let mut texts = vec![String::new()];
    for article in library.articles() {
        for passage in &article.passages {
            let last = texts.last_mut().expect("it is never empty");
            last.push_str(&passage.text);
            last.push(' ');
            if last.len() >= CHARS {
                let end = last.char_indices().nth(CHARS).map_or(last.len(), |(at, _)| at);
                last.truncate(end);
                texts.push(String::new());
            }
        }
    }
    texts.pop();
    texts.truncate(PASSAGES);
    texts
}

struct Candle {
    model: BertModel,
    tokenizer: Tokenizer,
    pool: rayon::ThreadPool,
}

impl Candle {
    fn open(folder: &Path) -> Self {
        let weights = std::fs::read(folder.join("model.safetensors")).expect("weights");
        let config = std::fs::read(folder.join("config.json")).expect("a configuration");
        let config: Config = serde_json::from_slice(&config).expect("JSON");
        let variables = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu);
        let model = BertModel::load(variables.expect("tensors"), &config).expect("it loads");
        let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json")).expect("it loads");
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).expect("none");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        Self { model, tokenizer, pool }
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        let ids = self.tokenizer.encode(text, true).expect("tokens");
        let ids = Tensor::new(ids.get_ids(), &Device::Cpu).expect("a tensor");
        let ids = ids.unsqueeze(0).expect("a batch");
        let states = self.pool.install(|| {
            self.model.forward(&ids, &ids.zeros_like().expect("zeros"), None).expect("states")
        });
        states.mean(1).and_then(|mean| mean.squeeze(0)?.to_vec1()).expect("a vector")
    }
}

/// ONNX Runtime in a process of its own.
struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Peer {
    fn start(folder: &Path) -> Self {
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/run");
        let mut child = Command::new(run)
            .args(["embedding.py".as_ref(), folder.as_os_str()])
            .env("OMP_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("benches/peers/run starts");
        let to = child.stdin.take().expect("a pipe");
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, to, from }
    }

    fn embed(&mut self, texts: &[String]) -> Made {
        let line = serde_json::to_string(texts).expect("JSON");
        writeln!(self.to, "{line}").expect("it listens");
        let mut answer = String::new();
        self.from.read_line(&mut answer).expect("it answers");
        serde_json::from_str(&answer).expect("JSON")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let folder = installed("all-minilm-l6-v2").expect("`make models` pulls it").folder;
    let texts = texts();
    let references: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut ours = MiniLm::open(&MiniLmFiles::in_folder(&folder), 1).expect("it loads");
    let candle = Candle::open(&folder);
    let mut peer = std::env::args().any(|arg| arg == "--peer").then(|| Peer::start(&folder));
    let tokens: usize = texts
        .iter()
        .map(|text| candle.tokenizer.encode(text.as_str(), true).expect("tokens").len())
        .sum();
    println!("{} passages of {} tokens, CPU milliseconds each", texts.len(), tokens / texts.len());
    let mut took = [const { Vec::new() }; 4];
    let mut least = [1.0_f32; 2];
    for _ in 0..ROUNDS {
        let before = cpu_seconds().expect("Linux");
        let made = ours.embed(&references).expect("vectors");
        took[0].push(cpu_seconds().expect("Linux") - before);
        let before = cpu_seconds().expect("Linux");
        for text in &references {
            ours.embed(&[text]).expect("a vector");
        }
        took[1].push(cpu_seconds().expect("Linux") - before);
        let before = cpu_seconds().expect("Linux");
        let expected: Vec<Vec<f32>> = references.iter().map(|text| candle.embed(text)).collect();
        took[2].push(cpu_seconds().expect("Linux") - before);
        let alike = made.iter().zip(&expected).map(|(a, b)| cosine(a, b)).fold(1.0, f32::min);
        least[0] = least[0].min(alike);
        if let Some(peer) = &mut peer {
            let (theirs, cpu_s) = peer.embed(&texts);
            took[3].push(cpu_s);
            let alike = made.iter().zip(&theirs).map(|(a, b)| cosine(a, b)).fold(1.0, f32::min);
            least[1] = least[1].min(alike);
        }
    }
    let each = |took: &mut Vec<f64>| median(took) * 1_000.0 / texts.len() as f64;
    let (together, alone, candle) = (each(&mut took[0]), each(&mut took[1]), each(&mut took[2]));
    println!("ours, all at once     {together:.2}");
    println!("ours, one by one      {alone:.2}");
    println!(
        "candle, one by one    {candle:.2}, ours {:.2} of it, cosine at least {:.6}",
        together / candle,
        least[0]
    );
    if peer.is_some() {
        let theirs = each(&mut took[3]);
        println!(
            "ONNX Runtime f32      {theirs:.2}, ours {:.2} of it, cosine at least {:.6}",
            together / theirs,
            least[1]
        );
    }
}
