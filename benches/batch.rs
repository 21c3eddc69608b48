//! What a batch adds to its writer's own time: conversations a second without a model, and the share
//! of a provider's throughput that is left when each answer takes always the same time. The bars are
//! 200 conversations/s and 95 %. The full wrap-up is compared with what embedding the same turns would
//! take, which it doesn't need.
//!
//! `cargo bench --bench batch` takes the dialogues in the repository; with `-- FILE.jsonl`, others.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use backchannel::app::LazyRecogniser;
use backchannel::batch::{
    Batch, BatchOrder, Caps, Ending, Extractive, Format, Inputs, Means, NotSummarized, Opened,
    Share, SoFar, Summarizer, WritingOrder,
};
use backchannel::config::Config;
use backchannel::domain::{
    EmailLength, EmailPurpose, EmailTone, Occasion, Summary, WrapUp, WrapUpBody,
};
use backchannel::flow::wrapup::{Circumstances, Draft, EmailOrder, WrapUpSettings, authorship};
use backchannel::models::embedder::Embedder as _;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use backchannel::models::{Material, TokenCount, installed};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

const CONVERSATIONS: usize = 10_000;
const LATENCY: Duration = Duration::from_millis(200);
/// Of which the turns are embedded.
const EMBEDDED: usize = 40;
/// Answers that each of the places gives.
const ROUNDS: usize = 25;

/// Takes always the same time and writes next to nothing.
struct Paced {
    latency: Duration,
    tokens: TokenCount,
    concurrency: usize,
}

#[async_trait]
impl Summarizer for Paced {
    fn identity(&self) -> String {
        format!("paced {} ms", self.latency.as_millis())
    }

    fn usual_concurrency(&self) -> usize {
        self.concurrency
    }

    async fn write(
        &self,
        _material: &Arc<Material>,
        _circumstances: &Circumstances,
        _order: &WritingOrder,
        so_far: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized> {
        tokio::time::sleep(self.latency).await;
        let wrap_up = WrapUp {
            id: "w-end-summary-1".into(),
            occasion: Occasion::End,
            authorship: authorship(),
            language: "en".to_owned(),
            body: WrapUpBody::Summary(Summary::default()),
            struck: Vec::new(),
        };
        let cost_micros = self.tokens.prompt + self.tokens.written;
        so_far.meter.used(self.tokens, cost_micros);
        Ok(vec![wrap_up])
    }
}

fn email() -> Draft {
    Draft::Email(EmailOrder {
        purpose: EmailPurpose::FollowUp,
        length: EmailLength::Medium,
        tone: EmailTone::Professional,
        language: None,
    })
}

/// `count` lines, those of the file as often as it takes.
fn input(source: Option<&Path>, folder: &Path, count: usize) -> PathBuf {
    let path = folder.join(format!("in-{count}.jsonl"));
    let text = match source {
        Some(source) => std::fs::read_to_string(source).expect("the conversations"),
        None => {
            let calls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
            let call = |name: &str| {
                let text =
                    std::fs::read_to_string(calls.join(format!("{name}.json"))).expect("a call");
                serde_json::from_str::<serde_json::Value>(&text).expect("JSON").to_string()
            };
            ["billing-double-charge", "outage-cancel-threat", "moving-home"].map(call).join("\n")
        }
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let all: String = lines.iter().cycle().take(count).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, all).expect("written");
    path
}

/// Conversations a second whose turns the embedding model reads, on all cores.
fn embedded_per_second(input: &Path) -> f64 {
    let text = std::fs::read_to_string(input).expect("the conversations");
    let turns_of = |line: &str| -> Vec<String> {
        let conversation: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let turns = conversation["turns"].as_array().expect("turns");
        turns.iter().filter_map(|turn| turn["text"].as_str()).map(str::to_owned).collect()
    };
    let conversations: Vec<Vec<String>> = text.lines().take(EMBEDDED).map(turns_of).collect();
    let folder = installed("all-minilm-l6-v2").expect("`make models` has pulled it").folder;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let mut model =
        MiniLm::open(&MiniLmFiles::in_folder(&folder), threads).expect("the embedding model");
    let begun = Instant::now();
    for turns in &conversations {
        let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
        model.embed(&turns).expect("it embeds");
    }
    conversations.len() as f64 / begun.elapsed().as_secs_f64()
}

async fn run(
    input: &Path,
    drafts: Vec<Draft>,
    summarizer: Arc<dyn Summarizer>,
    concurrency: Option<usize>,
) -> (Duration, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let order = BatchOrder {
        inputs: Inputs::Files(vec![input.to_owned()]),
        output: folder.path().join("out.jsonl"),
        format: Format::Jsonl,
        writing: WritingOrder { drafts, seed: 0, job: "bench".into() },
        concurrency,
        caps: Caps::default(),
        share: Share::Whole,
        give_up: false,
    };
    let means = Means {
        zone: TimeZone::UTC,
        recogniser: Arc::new(LazyRecogniser::new(Config::default().speech)),
        store: None,
    };
    let begun = Instant::now();
    let opened = tokio::task::spawn_blocking(move || Batch::open(order, summarizer, means))
        .await
        .expect("no panic")
        .expect("it begins");
    let Opened::Ready(batch) = opened else { panic!("it was never done before") };
    match batch.run(CancellationToken::new()).await.expect("it runs") {
        Ending::Complete(sums) => (begun.elapsed(), sums.written),
        Ending::Stopped { why, .. } => panic!("stopped: {why:?}"),
    }
}

/// The same number of answers asked for by nothing but a loop.
async fn bare(provider: &Paced, concurrency: usize, count: usize) -> Duration {
    let material = Arc::new(Material::default());
    let began = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let circumstances = Circumstances::new(began, Vec::new());
    let order = WritingOrder { drafts: Vec::new(), seed: 0, job: "bench".into() };
    let begun = Instant::now();
    futures_util::stream::iter(0..count)
        .for_each_concurrent(concurrency, |_| async {
            provider
                .write(&material, &circumstances, &order, &mut SoFar::default())
                .await
                .expect("it always answers");
        })
        .await;
    begun.elapsed()
}

fn main() {
    let source =
        std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let folder = tempfile::tempdir().expect("a folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let all = input(source.as_deref(), folder.path(), CONVERSATIONS);
        let full =
            vec![Draft::Summary, Draft::FollowUps, Draft::Disposition, email(), Draft::Article];
        for (name, drafts) in [("summary", vec![Draft::Summary]), ("full wrap-up", full)] {
            let writer = Arc::new(Extractive::new(WrapUpSettings::default()));
            let (took, written) = run(&all, drafts, writer, None).await;
            let per_second = CONVERSATIONS as f64 / took.as_secs_f64();
            println!(
                "{name}: {CONVERSATIONS} conversations, {written} written, {:.2} s, {per_second:.0}/s",
                took.as_secs_f64()
            );
            if name == "full wrap-up" {
                let bare = embedded_per_second(&all);
                println!(
                    "embedding all turns: {bare:.1} conversations/s; the full wrap-up is {:.0} times as fast",
                    per_second / bare
                );
            }
        }
        for concurrency in [1, 8, 64] {
            let count = ROUNDS * concurrency;
            let input = input(source.as_deref(), folder.path(), count);
            let provider =
                || Paced { latency: LATENCY, tokens: TokenCount::default(), concurrency };
            let own = bare(&provider(), concurrency, count).await;
            let (took, _) =
                run(&input, vec![Draft::Summary], Arc::new(provider()), Some(concurrency)).await;
            println!(
                "{} ms a conversation, {concurrency} at once: {:.1}/s of {:.1}/s, {:.1} %",
                LATENCY.as_millis(),
                count as f64 / took.as_secs_f64(),
                count as f64 / own.as_secs_f64(),
                100.0 * own.as_secs_f64() / took.as_secs_f64(),
            );
        }
    });
}
