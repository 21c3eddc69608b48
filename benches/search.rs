//! Hybrid search over many passages, the query's embedding included: where the time goes with one
//! client, how much eight get through, and what 10,000 judged cards add.
//!
//! `cargo bench --bench search [-- --passages 100000]`. Passages are sentences of the sample base with
//! every third word replaced by one of 60,000 made-up ones, so that words are as rare as in a base of
//! that size; their vectors are random, since only the query's costs anything at search time. Queries
//! are the sample base's own questions, through the real model.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backchannel::domain::{Article, ArticleId, VerdictKind};
use backchannel::evaluate::asr::cpu_seconds;
use backchannel::evaluate::live::quantile;
use backchannel::flow::feedback::JUDGED_MAX;
use backchannel::knowledge::feedback::{Feedback, JudgedCard};
use backchannel::knowledge::{
    Library, LibrarySettings, SearchRequest, Source, Spent, passages_of, queries, sentences,
};
use backchannel::models::embedder::{Embedder, EmbedderError, EmbedderHandle, Urgency};
use backchannel::models::installed;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const PASSAGES_OF_ARTICLE: usize = 5;
const SENTENCES_OF_PASSAGE: usize = 3;
const MADE_UP_WORDS: usize = 60_000;
const CLIENTS: usize = 8;
const ROUNDS: usize = 3;

/// The real model for queries; what is embedded before gets random vectors.
#[derive(Clone)]
struct Bench {
    model: MiniLm,
    building: Arc<AtomicBool>,
    random: StdRng,
}

impl Embedder for Bench {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        if !self.building.load(Ordering::Relaxed) {
            return self.model.embed(texts);
        }
        let random = &mut self.random;
        let vector = |_: &&str| {
            let row: Vec<f32> = (0..384).map(|_| random.random_range(-1.0_f32..1.0)).collect();
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.iter().map(|x| x / length).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }
    fn fingerprint(&self) -> &str {
        "bench"
    }
}

fn sample_base() -> Library {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    Library::open(&LibrarySettings::new(Source::Folder(folder))).expect("it opens")
}

fn articles(base: &Library, count: usize, random: &mut StdRng) -> Vec<Article> {
    let mut known: Vec<String> = Vec::new();
    for passage in base.articles().iter().flat_map(|article| &article.passages) {
        known.extend(sentences(&passage.text).iter().map(|span| span.slice(&passage.text).into()));
    }
    let mut sentence = || {
        let words = known[random.random_range(0..known.len())].split_whitespace().enumerate();
        let word = |(at, word): (usize, &str)| {
            // A few words are common and most are rare (Zipf).
            let rank = (MADE_UP_WORDS as f64).powf(random.random::<f64>()) as usize;
            if at % 3 == 2 { format!("w{}x", rank * 7) } else { word.to_owned() }
        };
        words.map(word).collect::<Vec<_>>().join(" ")
    };
    let mut articles = Vec::with_capacity(count);
    for number in 0..count {
        let (id, title) = (ArticleId::from(format!("a/{number:06}")), sentence());
        let title: Vec<&str> = title.split(' ').take(5).collect();
        let title = title.join(" ");
        let mut body = String::new();
        for section in 0..PASSAGES_OF_ARTICLE {
            let text: Vec<String> = (0..SENTENCES_OF_PASSAGE).map(|_| sentence()).collect();
            body.push_str(&format!("## Section {section}\n\n{}\n\n", text.join(" ")));
        }
        let passages = passages_of(&id, &title, &body);
        articles.push(Article::published(id, title, body, passages));
    }
    articles
}

fn quantile_ms(times: &[Duration], share: f64) -> f64 {
    let times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1_000.0).collect();
    quantile(&times, share).expect("there are times")
}

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--passages").skip(1);
    let wanted = arguments.next().map_or(100_000, |count| count.parse().expect("a number"));
    let (base, mut random) = (sample_base(), StdRng::seed_from_u64(11));
    let began = Instant::now();
    let articles = articles(&base, wanted / PASSAGES_OF_ARTICLE, &mut random);
    let passages: usize = articles.iter().map(|article| article.passages.len()).sum();
    println!("{passages} passages made in {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let settings = LibrarySettings::new(Source::Folder("none".into()));
    let library = Library::of_with(articles, &settings).expect("it is indexed");
    println!("keywords indexed in {:.1} s", began.elapsed().as_secs_f64());
    let folder = installed("all-minilm-l6-v2").expect("`make models` pulls it").folder;
    let model = MiniLm::open(&MiniLmFiles::in_folder(&folder), 1).expect("it loads");
    let building = Arc::new(AtomicBool::new(true));
    let bench = Bench { model, building: building.clone(), random };
    // As `MiniLm::spawn` does for the service.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let other = |_| Box::new(bench.clone()) as Box<dyn Embedder>;
    let others = (1..cores.min(4)).map(other).collect();
    let embedder = EmbedderHandle::spawn_with(Box::new(bench.clone()), others, 64);
    library.attach_vectors(embedder, |_, _| {}).expect("vectors");
    building.store(false, Ordering::Relaxed);
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge/queries.toml"),
    );
    let questions = queries::parse("queries.toml", &text.expect("it is there"), &|_| true);
    let requests: Vec<SearchRequest> = questions
        .expect("they are sound")
        .into_iter()
        .map(|question| SearchRequest::new(question.text))
        .collect();
    for request in requests.iter().take(20) {
        library.search(request).expect("it answers");
    }
    let each_s = one_client(&library, &requests);
    eight_clients(&library, &requests, each_s);
    with_feedback(&library, &requests, &mut StdRng::seed_from_u64(12));
}

/// Cards for questions that are like the queries, on articles that these find.
fn with_feedback(library: &Library, requests: &[SearchRequest], random: &mut StdRng) {
    let embedder = library.embedder().expect("there are vectors");
    let mut cards = Vec::with_capacity(JUDGED_MAX);
    while cards.len() < JUDGED_MAX {
        let request = &requests[random.random_range(0..requests.len())];
        let found = library.search(request).expect("it answers");
        let text = vec![request.query.clone()];
        let exact = embedder.embed_blocking(text, Urgency::Live, Duration::from_secs(9));
        let exact = exact.expect("a vector").remove(0);
        for hit in &found.hits {
            let noisy = exact.iter().map(|x| x + random.random_range(-0.08_f32..0.08));
            let noisy: Vec<f32> = noisy.collect();
            let length = noisy.iter().map(|x| x * x).sum::<f32>().sqrt();
            cards.push(JudgedCard {
                question: noisy.iter().map(|x| x / length).collect(),
                article: hit.article.id.clone(),
                quote: hit.quote().into(),
                verdict: match random.random_range(0..3) {
                    0 => VerdictKind::Dismissed,
                    _ => VerdictKind::Accepted,
                },
            });
        }
    }
    let began = Instant::now();
    let feedback = Feedback::of(embedder.dimensions(), &cards);
    println!("{} judged cards taken in within {:.1?}", feedback.len(), began.elapsed());
    let mut fuse = [Vec::new(), Vec::new()];
    let mut moved = 0;
    let feedback = Some(Arc::new(feedback));
    // In turn, so that whatever else the machine does falls on both.
    for request in requests.iter().cycle().take(ROUNDS * requests.len()) {
        for (with, fuse) in fuse.iter_mut().enumerate() {
            library.heed(feedback.clone().filter(|_| with == 1));
            let found = library.search(request).expect("it answers");
            moved += usize::from(found.hits.iter().any(|hit| hit.features.feedback != 0.0));
            fuse.push(found.spent.fuse);
        }
    }
    println!("fuse with and without them, {moved} searches moved, milliseconds:   p50    p95");
    for (name, times) in ["without", "with"].iter().zip(&fuse) {
        println!("  {name:<36} {:>6.2} {:>6.2}", quantile_ms(times, 0.5), quantile_ms(times, 0.95));
    }
}

/// Returns the CPU time of a query.
fn one_client(library: &Library, requests: &[SearchRequest]) -> f64 {
    let (mut times, mut parts) = (Vec::new(), [const { Vec::new() }; 4]);
    let before_s = cpu_seconds().expect("Linux");
    for request in requests.iter().cycle().take(ROUNDS * requests.len()) {
        let began = Instant::now();
        let found = library.search(request).expect("it answers");
        times.push(began.elapsed());
        assert!(!found.degraded && !found.hits.is_empty());
        let Spent { embed, scan, words, fuse } = found.spent;
        for (part, spent) in parts.iter_mut().zip([embed, scan, words, fuse]) {
            part.push(spent);
        }
    }
    let each_s = (cpu_seconds().expect("Linux") - before_s) / times.len() as f64;
    println!("one client, {} queries, milliseconds:   p50    p95", times.len());
    for (name, part) in ["embed", "scan", "BM25", "fuse"].iter().zip(&parts) {
        println!("  {name:<36} {:>6.2} {:>6.2}", quantile_ms(part, 0.5), quantile_ms(part, 0.95));
    }
    println!(
        "  all (bar: p95 30)                    {:>6.2} {:>6.2}",
        quantile_ms(&times, 0.5),
        quantile_ms(&times, 0.95)
    );
    println!("  CPU of a query                       {:>6.2}", each_s * 1_000.0);
    each_s
}

fn eight_clients(library: &Library, requests: &[SearchRequest], each_s: f64) {
    let (next, all) = (AtomicUsize::new(0), 2 * ROUNDS * requests.len());
    let began = Instant::now();
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let client = || {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= all {
                    return times;
                }
                let began = Instant::now();
                library.search(&requests[number % requests.len()]).expect("it answers");
                times.push(began.elapsed());
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    let rate = all as f64 / began.elapsed().as_secs_f64();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let ideal = cores as f64 / each_s;
    println!(
        "{CLIENTS} clients: {rate:.0} queries/s, {:.2} of {cores} cores ÷ CPU of a query (bar 0.8), p50 {:.1} ms, p95 {:.1} ms",
        rate / ideal,
        quantile_ms(&times, 0.5),
        quantile_ms(&times, 0.95)
    );
}
