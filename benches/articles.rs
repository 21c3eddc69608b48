//! What a knowledge base costs: taking it over, starting with it, publishing and taking back.
//!
//! `cargo bench --bench articles -- [--articles 10000] [--vectors]`. The articles are those of
//! `knowledge/`, as often as it takes, each with words of its own. With `--vectors` there are vectors,
//! too: random ones for all that is there at the start, the model's for what is published then. And
//! the sample base is indexed by meaning beside the bare model.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backchannel::app::articles::{Articles, IMPORT, import, library_of};
use backchannel::domain::{ArticleAction, ArticleContent, NewRevision, TenantId};
use backchannel::insight::redaction;
use backchannel::knowledge::{Library, LibrarySettings, SearchRequest, Source, read};
use backchannel::models::embedder::{Embedder, EmbedderError, EmbedderHandle};
use backchannel::models::installed;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use backchannel::serve::{ArticleDesk as _, ImportItem};
use backchannel::store::{ArticleLog, SqliteStore, Store};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const CHANGES: usize = 20;
const ROUNDS: usize = 3;

fn main() {
    let (mut wanted, mut has_vectors) = (10_000, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--articles" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                wanted = number.expect("--articles takes a number");
            }
            "--vectors" => has_vectors = true,
            _ => {}
        }
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(wanted, has_vectors));
    if has_vectors {
        index_beside_the_bare_model();
    }
}

fn base(wanted: usize) -> Vec<ImportItem> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/knowledge");
    let files = Source::Folder(folder.into()).files().expect("the sample");
    let sample = files
        .into_iter()
        .map(|(file, text)| read(&file, &text.expect("readable")).expect("the sample is right"));
    let sample: Vec<_> = sample.collect();
    let item = |number: usize| {
        let mut article = sample[number % sample.len()].clone();
        article.id = format!("{}-{number}", article.id).into();
        article.body =
            format!("{}\n\nThis is rule R-{number} of our house.\n", article.body.trim_end());
        ImportItem { id: article.id.clone(), content: article.masked(&redaction::typed) }
    };
    (0..wanted).map(item).collect()
}

/// The real model, and before the doors open random vectors.
struct Bench {
    model: MiniLm,
    is_building: Arc<AtomicBool>,
    random: StdRng,
}

impl Embedder for Bench {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        if !self.is_building.load(Ordering::Relaxed) {
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

fn model() -> MiniLm {
    let folder = installed("all-minilm-l6-v2").expect("`make models` pulls it").folder;
    MiniLm::open(&MiniLmFiles::in_folder(&folder), 1).expect("it loads")
}

/// A model that makes random vectors until it is told that all are there.
fn bench_model(is_building: &Arc<AtomicBool>) -> EmbedderHandle {
    let (is_building, random) = (Arc::clone(is_building), StdRng::seed_from_u64(11));
    EmbedderHandle::spawn(Box::new(Bench { model: model(), is_building, random }), 64)
}

async fn measure(wanted: usize, has_vectors: bool) {
    let data = tempfile::tempdir().expect("a folder");
    let tenant: TenantId = "default".into();
    let items = base(wanted);
    let one = items[0].content.clone();
    let store = SqliteStore::open(data.path(), Arc::new(|_| ())).await.expect("it opens");

    let begun = Instant::now();
    import(&store, &tenant, IMPORT, items.clone(), false).await.expect("taken over");
    report("taken over into an empty log", begun.elapsed());
    let begun = Instant::now();
    import(&store, &tenant, IMPORT, items, false).await.expect("taken over");
    report("taken over again, nothing new", begun.elapsed());
    store.close().await;
    drop(store);

    let mut settings = LibrarySettings::new(Source::Folder("".into()));
    settings.cache = Some(data.path().join("cache"));
    let is_building = Arc::new(AtomicBool::new(true));
    if has_vectors {
        let (_, opened, _) = open(data.path(), &tenant, &settings).await;
        let begun = Instant::now();
        attach(opened.library, bench_model(&is_building)).await;
        report("vectors made, by a model that takes no time", begun.elapsed());
    }
    let begun = Instant::now();
    let (store, opened, log) = open(data.path(), &tenant, &settings).await;
    let library = opened.library.clone();
    report("start to the first keyword search", begun.elapsed());
    let passages: usize = library.articles().iter().map(|one| one.passages.len()).sum();
    println!("{} articles, {passages} passages", library.articles().len());
    if has_vectors {
        let begun = Instant::now();
        attach(library.clone(), bench_model(&is_building)).await;
        report("vectors from the cache", begun.elapsed());
        is_building.store(false, Ordering::Relaxed);
    }
    let articles = Articles::new(store, log, tenant.clone(), opened, false);
    change(&articles, &library, &tenant, one).await;
}

type Opened = (Arc<dyn Store>, backchannel::app::articles::Opened, Arc<dyn ArticleLog>);

async fn open(folder: &Path, tenant: &TenantId, settings: &LibrarySettings) -> Opened {
    let store = Arc::new(SqliteStore::open(folder, Arc::new(|_| ())).await.expect("it opens"));
    let log: Arc<dyn ArticleLog> = Arc::<SqliteStore>::clone(&store);
    let opened = library_of(log.as_ref(), tenant, settings.clone()).await.expect("it builds");
    opened.library.search(&SearchRequest::new("router")).expect("searched");
    (store, opened, log)
}

async fn attach(library: Library, embedder: EmbedderHandle) {
    let work = move || library.attach_vectors(embedder, |_, _| ());
    tokio::task::spawn_blocking(work).await.expect("no panic").expect("vectors");
}

async fn change(articles: &Articles, library: &Library, tenant: &TenantId, one: ArticleContent) {
    let (mut published, mut retired, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    let settle = async || {
        let begun = Instant::now();
        while !library.is_settled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    };
    for number in 0..CHANGES {
        let code = format!("X-{number}77");
        let mut content = one.clone();
        content.asked_as.clear();
        let text = format!("## News\nThe code {code} is new.\n");
        content.body = redaction::typed(&text);
        let revision = |based_on, action| NewRevision {
            article: format!("news/{number}").into(),
            based_on,
            action,
            author: "bench".into(),
            by: "bench".into(),
            approver: None,
            time: Timestamp::now(),
            comment: None,
            content: Arc::new(content.clone()),
            provenance: Arc::default(),
        };
        let find = || {
            let hits = library.search(&SearchRequest::new(code.as_str())).expect("searched").hits;
            hits.iter().any(|hit| hit.article.id.as_str() == format!("news/{number}"))
        };
        let begun = Instant::now();
        articles.revise(tenant, revision(0, ArticleAction::Import)).await.expect("published");
        assert!(find(), "it is found when it is acknowledged");
        published.push(begun.elapsed());
        settled.push(settle().await);
        assert!(find(), "and afterwards");
        let begun = Instant::now();
        articles.revise(tenant, revision(1, ArticleAction::Retire)).await.expect("retired");
        retired.push(begun.elapsed());
        assert!(!find(), "it is not found when that is acknowledged");
        // While the index is made anew, others publish.
        let mut content = content.clone();
        content.title = redaction::typed("Beside it");
        let beside = NewRevision {
            article: format!("beside/{number}").into(),
            content: Arc::new(content),
            ..revision(0, ArticleAction::Import)
        };
        let begun = Instant::now();
        articles.revise(tenant, beside).await.expect("published");
        published.push(begun.elapsed());
        settle().await;
    }
    for (what, mut times) in [
        ("publish, acknowledged and found", published),
        ("one index again after that, in the background", settled),
        ("retire, acknowledged", retired),
    ] {
        times.sort_unstable();
        let at = |share: usize| times[times.len() * share / 100];
        println!("{what}: p50 {:?}, p95 {:?} of {}", at(50), at(95), times.len());
    }
}

/// The model, telling what it is asked.
struct Telling {
    model: MiniLm,
    texts: std::sync::mpsc::Sender<String>,
}

impl Embedder for Telling {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        for text in texts {
            // Nobody listens any more when the last round is over.
            let _ = self.texts.send((*text).to_owned());
        }
        self.model.embed(texts)
    }
    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }
    fn fingerprint(&self) -> &str {
        self.model.fingerprint()
    }
}

/// All vectors of the sample base, from files to a hybrid search and onto the disk; then the same texts
/// through the bare model, all at once.
fn index_beside_the_bare_model() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let mut shares = Vec::new();
    for _ in 0..ROUNDS {
        let cache = tempfile::tempdir().expect("a folder");
        let (texts, asked) = std::sync::mpsc::channel();
        let embedder = EmbedderHandle::spawn(Box::new(Telling { model: model(), texts }), 64);
        let mut bare = model();
        let begun = Instant::now();
        let mut settings = LibrarySettings::new(Source::Folder(folder.clone()));
        settings.cache = Some(cache.path().to_owned());
        let library = Library::open(&settings).expect("it opens");
        library.attach_vectors(embedder, |_, _| ()).expect("vectors");
        let indexed = begun.elapsed();
        let texts: Vec<String> = asked.try_iter().collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let begun = Instant::now();
        bare.embed(&texts).expect("vectors");
        let alone = begun.elapsed();
        let rate = |took: Duration| texts.len() as f64 / took.as_secs_f64();
        println!(
            "{} texts: indexed {:.0}/s, bare model {:.0}/s",
            texts.len(),
            rate(indexed),
            rate(alone)
        );
        shares.push(alone.as_secs_f64() / indexed.as_secs_f64());
    }
    shares.sort_by(f64::total_cmp);
    println!("indexing at {:.2} of the bare model's rate (bar 0.9)", shares[ROUNDS / 2]);
}

fn report(what: &str, took: Duration) {
    println!("{what}: {took:?}");
}
