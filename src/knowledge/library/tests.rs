use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::ArticleState;
use crate::knowledge::Filter;
use crate::models::embedder::Embedder;

const ARTICLE: &str = "+++\nid = \"ID\"\ntitle = \"Parcels\"\naudience = [\"agent\"]\n+++\n\n\
    ## Lost\nWe trace a lost parcel. Tracing takes 3 days.\n\n## Code\nE-104 means no signal.\n";

/// Counts what it embeds; each text has a vector of its own.
struct Counting(Arc<AtomicUsize>);

impl Embedder for Counting {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        self.0.fetch_add(texts.len(), Ordering::Relaxed);
        let vector = |text: &&str| {
            let angle = text.bytes().map(f32::from).sum::<f32>();
            vec![angle.cos(), angle.sin()]
        };
        Ok(texts.iter().map(vector).collect())
    }
    fn dimensions(&self) -> usize {
        2
    }
    fn fingerprint(&self) -> &str {
        "counting"
    }
}

fn counting(count: &Arc<AtomicUsize>) -> EmbedderHandle {
    EmbedderHandle::spawn(Box::new(Counting(Arc::clone(count))), 4)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.md"), ARTICLE.replace("ID", "good")).unwrap();
    let broken = ARTICLE.replace("ID", "bad").replace("title", "titel");
    std::fs::write(folder.path().join("bad.md"), broken).unwrap();
    folder
}

fn written(id: &str, revision: u32, sentence: &str) -> Written {
    let text = ARTICLE.replace("ID", id).replace("E-104 means no signal.", sentence);
    let mut written = Written::of_file(article::read(&format!("{id}.md"), &text).unwrap());
    written.article.revision = revision;
    written
}

fn publish(id: &str, revision: u32, sentence: &str) -> Change {
    Change::Publish(Box::new(written(id, revision, sentence)))
}

fn settings() -> LibrarySettings {
    LibrarySettings::new(Source::Folder(PathBuf::new()))
}

fn library_of(articles: Vec<Written>) -> Library {
    Library::of(articles, |one| one, Vec::new(), &settings()).unwrap()
}

fn found(library: &Library, query: &str) -> Vec<(String, u32)> {
    let hits = library.search(&SearchRequest::new(query)).unwrap().hits;
    hits.iter().map(|hit| (hit.article.id.to_string(), hit.article.revision)).collect()
}

fn settle(library: &Library) {
    let begun = Instant::now();
    while !library.is_settled() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never settles");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_broken_article_is_named_and_the_others_load() {
    let folder = folder();
    let settings = LibrarySettings::new(Source::Folder(folder.path().to_owned()));
    let library = Library::open(&settings).unwrap();
    assert_eq!(library.articles().len(), 1);
    assert_eq!(library.complaints().len(), 1);
    let complaint = library.complaints()[0].to_string();
    assert!(complaint.starts_with("bad.md:3: titel: unknown field `titel`"), "{complaint}");
    let found = library.search(&SearchRequest::new("it says E one oh four")).unwrap();
    assert!(found.degraded);
    assert_eq!(found.hits[0].passage().heading, "Code");
    assert_eq!(found.hits[0].quote(), "E-104 means no signal.");
}

#[test]
fn vectors_are_computed_once_for_all_data_directories() {
    let (folder, cache) = (folder(), tempfile::tempdir().unwrap());
    let mut settings = LibrarySettings::new(Source::Folder(folder.path().to_owned()));
    settings.cache = Some(cache.path().to_owned());
    let count = Arc::new(AtomicUsize::new(0));
    let open = || {
        let library = Library::open(&settings).unwrap();
        assert!(!library.vectors_complete());
        library.attach_vectors(counting(&count), |_, _| {}).unwrap();
        assert!(library.vectors_complete());
        library
    };
    let first = open();
    open();
    // Two passages and three sentences.
    assert_eq!(count.load(Ordering::Relaxed), 5);

    let packs = std::fs::read_dir(cache.path().join("embeddings/counting")).unwrap();
    for pack in packs {
        let path = pack.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    let rebuilt = open();
    assert_eq!(count.load(Ordering::Relaxed), 10, "what was cut off is made again");
    for query in ["lost parcel", "signal", "how long"] {
        assert_eq!(found(&first, query), found(&rebuilt, query));
    }
}

#[test]
fn a_change_is_found_and_what_was_is_not() {
    let first = vec![written("a", 1, "E-104 means no signal."), written("b", 1, "Blue is on.")];
    let library = library_of(first);
    let count = Arc::default();
    library.attach_vectors(counting(&count), |_, _| {}).unwrap();
    let before = count.load(Ordering::Relaxed);
    library.apply(vec![publish("a", 2, "E-207 means no power.")]).unwrap();
    assert_eq!(found(&library, "E-207")[0], ("a".into(), 2));
    let old = found(&library, "E-104");
    assert!(!old.contains(&("a".into(), 1)), "{old:?}");
    let asked = 2;
    settle(&library);
    // The passage with the new sentence and that sentence.
    assert_eq!(count.load(Ordering::Relaxed) - before - asked, 2);
    assert_eq!(found(&library, "E-207")[0], ("a".into(), 2));

    library.apply(vec![publish("c", 1, "E-300 means heat."), Change::Retire("b".into())]).unwrap();
    assert_eq!(found(&library, "E-300")[0].0, "c");
    assert!(found(&library, "blue").iter().all(|(id, _)| id != "b"));
    settle(&library);
    assert!(found(&library, "blue").iter().all(|(id, _)| id != "b"));
    assert_eq!(library.articles().len(), 2);
    assert!(library.article(&"b".into()).is_none());

    library.apply(vec![Change::Retire("a".into()), Change::Retire("c".into())]).unwrap();
    settle(&library);
    assert!(found(&library, "parcel").is_empty());
    library.apply(vec![publish("a", 3, "E-1 again.")]).unwrap();
    assert_eq!(found(&library, "E-1")[0], ("a".into(), 3));
}

#[test]
fn a_new_article_is_weighed_like_one_that_has_long_been_there() {
    let old = ["The dog barks.", "The cat sleeps.", "Rain falls."];
    let old = old.iter().zip(["a", "b", "c"]).map(|(said, id)| written(id, 1, said));
    let library = library_of(old.collect());
    // Nobody makes one index of all meanwhile.
    library.0.is_rebuilding.store(true, Ordering::Release);
    library.apply(vec![publish("d", 1, "Walruses whistle.")]).unwrap();
    assert!(!library.state().is_whole());
    let weighed = |library: &Library| {
        let request = SearchRequest::new("do all walruses whistle or bark or code");
        let hits = library.search(&request).unwrap().hits;
        let hit = hits.iter().find(|hit| hit.quote().contains("Walruses")).unwrap();
        (hit.features.bm25, hit.features.coverage)
    };
    let (bm25, coverage) = weighed(&library);
    library.0.is_rebuilding.store(false, Ordering::Release);
    library.rebuild_soon();
    settle(&library);
    let (settled_bm25, settled_coverage) = weighed(&library);
    assert!((bm25 - settled_bm25).abs() < 1e-4, "{bm25} {settled_bm25}");
    assert!((coverage - settled_coverage).abs() < 1e-4, "{coverage} {settled_coverage}");
}

#[test]
fn a_misspelt_word_is_read_as_the_nearest_and_a_code_is_not() {
    let said = [("a", "The dog barks."), ("b", "A walrus whistles loudly."), ("c", "Rain falls.")];
    let library = library_of(said.iter().map(|(id, said)| written(id, 1, said)).collect());
    let search = |query: &str| library.search(&SearchRequest::new(query)).unwrap().hits;
    let hits = search("the wlarus whisstles");
    assert_eq!((hits[0].article.id.as_str(), hits[0].quote()), ("b", "A walrus whistles loudly."));
    let told = "spelled: whisstl → whistl, wlarus → walrus".to_owned();
    assert!(hits[0].why.contains(&told), "{:?}", hits[0].why);
    for (nothing, why) in [
        ("e105", "a code means what it says"),
        ("dgo", "a short word has too many neighbours"),
        ("kralrus", "people get the first letter right"),
    ] {
        assert!(search(nothing).is_empty(), "{why}");
    }
    assert!(search("walrus").iter().all(|hit| !hit.why.iter().any(|why| why.contains("spelled"))));
}

#[test]
fn changes_without_a_model_and_before_it_count_too() {
    let library = library_of(vec![written("a", 1, "One.")]);
    library.apply(vec![publish("b", 1, "E-207 means no power.")]).unwrap();
    assert_eq!(found(&library, "E-207")[0].0, "b");
    library.attach_vectors(counting(&Arc::default()), |_, _| {}).unwrap();
    settle(&library);
    let response = library.search(&SearchRequest::new("E-207")).unwrap();
    assert!(!response.degraded && response.hits[0].article.id.as_str() == "b");
}

#[test]
fn many_changes_at_once_leave_a_settled_library() {
    let library = library_of(vec![]);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let library = &library;
            scope.spawn(move || {
                for number in 1..=10 {
                    let id = format!("w{worker}");
                    let sentence = format!("E-{worker}{number} it is.");
                    library.apply(vec![publish(&id, number, &sentence)]).unwrap();
                    let hits = found(library, &format!("E-{worker}{number}"));
                    assert!(hits.contains(&(id, number)), "{hits:?}");
                }
            });
        }
    });
    settle(&library);
    assert_eq!(library.articles().iter().map(|one| one.revision).collect::<Vec<_>>(), [10; 4]);
}

#[test]
fn validity_is_looked_at_inside_the_query() {
    let day = |day| jiff::civil::date(2026, 6, day);
    let mut article = written("a", 1, "E-104 means no signal.");
    article.article.valid_from = Some(day(10));
    article.article.valid_until = Some(day(20));
    let library = library_of(vec![article]);
    for vectors in [false, true] {
        if vectors {
            library.attach_vectors(counting(&Arc::default()), |_, _| {}).unwrap();
        }
        for (on, expected) in [(9, false), (10, true), (20, true), (21, false)] {
            let mut request = SearchRequest::new("E-104");
            request.filter = Filter { valid_on: Some(day(on)), ..Filter::default() };
            let is_found = !library.search(&request).unwrap().hits.is_empty();
            assert_eq!(is_found, expected, "on the {on}th, vectors: {vectors}");
        }
    }
}

#[tokio::test]
async fn what_is_held_is_not_taken_back_meanwhile() {
    let library = library_of(vec![written("a", 1, "One.")]);
    let article = library.article(&"a".into()).unwrap();
    assert_eq!(article.state, ArticleState::Published);
    let cited = Citation {
        article_id: "a".into(),
        passage_id: article.passages[0].id.clone(),
        revision: 1,
        start_chars: 0,
        end_chars: 2,
        quote: "We".into(),
    };
    let hold = library.hold().await;
    assert!(hold.stands(&cited));
    let retire = {
        let library = library.clone();
        tokio::task::spawn_blocking(move || library.apply(vec![Change::Retire("a".into())]))
    };
    retire.await.unwrap().unwrap();
    // Whoever looks now sees that it is gone; the acknowledgement waits for whoever looked before.
    assert!(!library.stands(&cited));
    let short = Duration::from_millis(50);
    assert!(tokio::time::timeout(short, library.let_go()).await.is_err());
    drop(hold);
    library.let_go().await;
    assert!(!library.hold().await.stands(&cited));
}
