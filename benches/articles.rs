//! What a knowledge base costs: taking it over, starting with it, publishing and taking back.
//!
//! `cargo bench --bench articles -- [--articles 10000]`. The articles are those of `knowledge/`, as often
//! as it takes, each with words of its own; keywords only, since vectors follow in the background.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::app::articles::{Articles, IMPORT, import, library_of};
use backchannel::domain::{ArticleAction, NewRevision, TenantId};
use backchannel::insight::redaction;
use backchannel::knowledge::{LibrarySettings, SearchRequest, Source, read};
use backchannel::serve::{ArticleDesk as _, ImportItem};
use backchannel::store::{ArticleLog, SqliteStore, Store};
use jiff::Timestamp;

const CHANGES: usize = 20;

fn main() {
    let mut wanted = 10_000;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--articles" {
            let number = arguments.next().and_then(|number| number.parse().ok());
            wanted = number.expect("--articles takes a number");
        }
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(wanted));
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

async fn measure(wanted: usize) {
    let data = tempfile::tempdir().expect("a folder");
    let tenant: TenantId = "default".into();
    let items = base(wanted);
    let one = Arc::new(items[0].content.clone());
    let store = SqliteStore::open(data.path(), Arc::new(|_| ())).await.expect("it opens");

    let begun = Instant::now();
    import(&store, &tenant, IMPORT, items.clone(), false).await.expect("taken over");
    report("taken over into an empty log", begun.elapsed());
    let begun = Instant::now();
    import(&store, &tenant, IMPORT, items, false).await.expect("taken over");
    report("taken over again, nothing new", begun.elapsed());
    store.close().await;
    drop(store);

    let begun = Instant::now();
    let store = Arc::new(SqliteStore::open(data.path(), Arc::new(|_| ())).await.expect("it opens"));
    let log: Arc<dyn ArticleLog> = Arc::<SqliteStore>::clone(&store);
    let settings = LibrarySettings::new(Source::Folder("".into()));
    let opened = library_of(log.as_ref(), &tenant, settings).await.expect("it builds");
    let library = opened.library.clone();
    report("start to the first keyword search", begun.elapsed());
    let passages: usize = library.articles().iter().map(|one| one.passages.len()).sum();
    println!("{} articles, {passages} passages", library.articles().len());

    let store: Arc<dyn Store> = store;
    let articles = Articles::new(store, log, tenant.clone(), opened, false);
    let (mut published, mut retired, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..CHANGES {
        let code = format!("X-{number}77");
        let mut content = (*one).clone();
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
        articles.revise(&tenant, revision(0, ArticleAction::Import)).await.expect("published");
        assert!(find(), "it is found when it is acknowledged");
        published.push(begun.elapsed());
        let begun = Instant::now();
        while !library.is_settled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        settled.push(begun.elapsed());
        let begun = Instant::now();
        articles.revise(&tenant, revision(1, ArticleAction::Retire)).await.expect("retired");
        retired.push(begun.elapsed());
        assert!(!find(), "it is not found when that is acknowledged");
        while !library.is_settled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for (what, mut times) in [
        ("publish, acknowledged and found", published),
        ("one index again after that, in the background", settled),
        ("retire, acknowledged", retired),
    ] {
        times.sort_unstable();
        println!(
            "{what}: p50 {:?}, slowest of {CHANGES} {:?}",
            times[CHANGES / 2],
            times[CHANGES - 1]
        );
    }
}

fn report(what: &str, took: Duration) {
    println!("{what}: {took:?}");
}
