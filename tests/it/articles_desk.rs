//! Changes of articles whose caller doesn't wait for them.

use std::sync::Arc;
use std::time::Duration;

use backchannel::app::articles::{Articles, library_of};
use backchannel::domain::{ArticleAction, ArticleContent, ArticleState, NewRevision, TenantId};
use backchannel::insight::redaction;
use backchannel::knowledge::{LibrarySettings, Source, read};
use backchannel::serve::ArticleDesk as _;
use backchannel::store::{ArticleLog, SqliteStore, Store};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

const FILE: &str = "+++\nid = \"fees\"\ntitle = \"Fees\"\naudience = [\"agent\"]\nproducts = []\n\
    language = \"en\"\n+++\n\n## Late\n\nWe charge five pounds.\n";

fn revision(based_on: u32, action: ArticleAction, content: &ArticleContent) -> NewRevision {
    NewRevision {
        article: "fees".into(),
        based_on,
        action,
        author: "ada".into(),
        by: "ada".into(),
        approver: None,
        time: Timestamp::now(),
        comment: None,
        content: Arc::new(content.clone()),
        provenance: Arc::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hangs_up_leaves_nothing_that_is_cited_and_retired() {
    let folder = tempfile::tempdir().expect("a folder");
    let tenant: TenantId = "default".into();
    let store = SqliteStore::open(folder.path(), Arc::new(|_| ())).await.expect("it opens");
    let store = Arc::new(store);
    let log: Arc<dyn ArticleLog> = Arc::<SqliteStore>::clone(&store);
    let settings = LibrarySettings::new(Source::Folder("".into()));
    let opened = library_of(log.as_ref(), &tenant, settings).await.expect("it builds");
    let library = opened.library.clone();
    let all: Arc<dyn Store> = Arc::<SqliteStore>::clone(&store);
    let desk = Articles::new(all, Arc::clone(&log), tenant.clone(), opened, false);
    let content = read("fees.md", FILE).expect("an article").masked(&redaction::typed);
    let imported = revision(0, ArticleAction::Import, &content);
    desk.revise(&tenant, imported).await.expect("published");
    assert!(library.article(&"fees".into()).is_some());

    // Polled once, and dropped: the log has it, and nobody waits for what follows from it.
    let retire = revision(1, ArticleAction::Retire, &content);
    assert!(desk.revise(&tenant, retire).now_or_never().is_none());
    let gone = async {
        while library.article(&"fees".into()).is_some() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("it is taken back all the same");
    let row = log.article(&tenant, &"fees".into()).await.expect("reads").expect("it is there");
    assert_eq!((row.state(), row.number), (ArticleState::Retired, 2));
    store.close().await;
}
