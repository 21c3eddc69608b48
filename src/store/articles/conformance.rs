//! What every log of articles must do: each sentence of the trait's contract is one function here.

use std::sync::Arc;

use jiff::Timestamp;

use super::{ArticleLog, ArticleQuery, codec};
use crate::domain::{
    ArticleAction, ArticleContent, ArticleRevision, ArticleState, ArticlesImported, Audience,
    EventBody, NewEvent, NewRevision, Redacted, SentenceOrigin, TenantId, TurnQuote,
};
use crate::store::{ReadQuery, Store, StoreError};

/// Runs the suite on one store that nobody else uses.
///
/// # Panics
/// When the back end breaks the contract.
pub async fn all<S: Store + ArticleLog + 'static>(store: Arc<S>) {
    let s = &*store;
    revisions_count_from_one_and_positions_grow(s).await;
    whoever_comes_second_is_told_both_numbers(s).await;
    an_append_is_whole_or_not_at_all(s).await;
    what_was_written_is_what_is_read(s).await;
    a_draft_leaves_what_is_in_force_alone(s).await;
    the_log_is_followed_by_position(s).await;
    lists_are_filtered_and_paged(s).await;
    those_that_are_named_come_once(s).await;
    tenants_see_nothing_of_each_other(s).await;
    rows_know_what_a_file_last_said(s).await;
    what_is_told_comes_with_the_revision(s).await;
    writers_at_once_leave_no_gap(store.clone()).await;
    store.integrity().await.expect("the log is sound");
}

/// A plain article.
pub fn content(title: &str) -> ArticleContent {
    let body = Redacted::vouched(format!("# {title}\n\n## When\nWithin five days.\n"));
    let plain = ArticleContent::plain(Redacted::vouched(title), body);
    ArticleContent { products: vec!["broadband".into()], ..plain }
}

pub fn revision(article: &str, based_on: u32, action: ArticleAction) -> NewRevision {
    NewRevision {
        article: article.into(),
        based_on,
        action,
        author: "Ada".into(),
        by: "Ada".into(),
        approver: None,
        time: Timestamp::now(),
        comment: None,
        content: Arc::new(content(article)),
        provenance: Arc::default(),
    }
}

async fn write(
    s: &dyn ArticleLog,
    tenant: &TenantId,
    revision: NewRevision,
) -> Arc<ArticleRevision> {
    let mut written = s.revise(tenant, vec![revision], vec![]).await.expect("written");
    written.pop().expect("one")
}

async fn revisions_count_from_one_and_positions_grow(s: &dyn ArticleLog) {
    let t: TenantId = "of-numbers".into();
    let before = s.newest_revision().await.expect("reads");
    let first = write(s, &t, revision("a/b", 0, ArticleAction::Draft)).await;
    let other = write(s, &t, revision("a/c", 0, ArticleAction::Draft)).await;
    let second = write(s, &t, revision("a/b", 1, ArticleAction::Submit)).await;
    assert_eq!((first.number, other.number, second.number), (1, 1, 2));
    assert!(before < first.position && first.position < other.position);
    assert!(other.position < second.position);
    assert_eq!(s.newest_revision().await.expect("reads"), second.position);
}

async fn whoever_comes_second_is_told_both_numbers(s: &dyn ArticleLog) {
    let t: TenantId = "of-stale".into();
    write(s, &t, revision("a", 0, ArticleAction::Draft)).await;
    write(s, &t, revision("a", 1, ArticleAction::Draft)).await;
    for based_on in [0, 1, 3] {
        let late = s.revise(&t, vec![revision("a", based_on, ArticleAction::Draft)], vec![]).await;
        let Err(StoreError::StaleRevision { newest, based_on: given, .. }) = late else {
            panic!("refused");
        };
        assert_eq!((given, newest), (based_on, 2));
    }
    let unknown = s.revise(&t, vec![revision("new", 4, ArticleAction::Draft)], vec![]).await;
    assert!(matches!(unknown, Err(StoreError::StaleRevision { newest: 0, .. })));
    assert_eq!(s.history(&t, &"a".into()).await.expect("reads").len(), 2);
}

async fn an_append_is_whole_or_not_at_all(s: &dyn ArticleLog) {
    let t: TenantId = "of-whole".into();
    let both = vec![
        revision("a", 0, ArticleAction::Import),
        revision("a", 1, ArticleAction::Draft),
        revision("b", 7, ArticleAction::Import),
    ];
    assert!(s.revise(&t, both.clone(), vec![]).await.is_err());
    assert!(s.article(&t, &"a".into()).await.expect("reads").is_none());
    let written = s.revise(&t, both[..2].to_vec(), vec![]).await.expect("written");
    assert_eq!(written.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
}

async fn what_was_written_is_what_is_read(s: &dyn ArticleLog) {
    let t: TenantId = "of-reading".into();
    let mut new = revision("a/b", 0, ArticleAction::Draft);
    new.content = Arc::new(ArticleContent {
        valid_from: Some(jiff::civil::date(2026, 5, 1)),
        valid_until: Some(jiff::civil::date(2027, 5, 1)),
        review_by: Some(jiff::civil::date(2027, 1, 1)),
        source: Some("Policy 4".into()),
        verbatim: true,
        audience: vec![Audience::Agent, Audience::Customer],
        asked_as: [("When".to_owned(), vec![Redacted::vouched("how long")])].into(),
        front_matter: Some(Redacted::vouched("+++\ntitle = \"x\" # y\n+++\n\n")),
        ..content("Größe £5 \u{1f600}")
    });
    new.comment = Some(Redacted::vouched("first"));
    new.approver = Some("Bea".into());
    new.provenance = vec![SentenceOrigin {
        sentence: Redacted::vouched("Within five days."),
        conversation: "c-1".into(),
        quotes: vec![TurnQuote { turn: "t-9".into(), quote: Redacted::vouched("five days") }],
    }]
    .into();
    let written = write(s, &t, new.clone()).await;
    let read = s.revision(&t, &"a/b".into(), 1).await.expect("reads").expect("it is there");
    assert_eq!(written, read);
    assert_eq!((&read.content, &read.provenance), (&new.content, &new.provenance));
    assert_eq!(read.comment, new.comment);
    assert!(s.revision(&t, &"a/b".into(), 2).await.expect("reads").is_none());
    let row = s.article(&t, &"a/b".into()).await.expect("reads").expect("it is there");
    assert_eq!(row.content_hash, codec::content_hash(&new.content));
    assert_eq!(row.title, "Größe £5 \u{1f600}");
    assert_eq!(row.review_by, new.content.review_by);
    let history = s.history(&t, &"a/b".into()).await.expect("reads");
    assert_eq!((&*history[0].title, history[0].comment.as_deref()), (&*row.title, Some("first")));
}

async fn a_draft_leaves_what_is_in_force_alone(s: &dyn ArticleLog) {
    let t: TenantId = "of-force".into();
    let look = async || {
        let row = s.article(&t, &"a".into()).await.expect("reads").expect("it is there");
        let in_force = s.in_force(&t, None).await.expect("reads");
        assert_eq!(row.published, in_force.first().map(|one| one.number));
        (row.state(), row.published)
    };
    use ArticleAction::*;
    for (based_on, action, state, published) in [
        (0, Draft, ArticleState::Draft, None),
        (1, Submit, ArticleState::InReview, None),
        (2, Approve, ArticleState::InReview, None),
        (3, Publish, ArticleState::Published, Some(4)),
        (4, Draft, ArticleState::Draft, Some(4)),
        (5, Submit, ArticleState::InReview, Some(4)),
        (6, Publish, ArticleState::Published, Some(7)),
        (7, Draft, ArticleState::Draft, Some(7)),
        (8, Retire, ArticleState::Retired, None),
        (9, Draft, ArticleState::Draft, None),
        (10, Import, ArticleState::Published, Some(11)),
    ] {
        write(s, &t, revision("a", based_on, action)).await;
        assert_eq!(look().await, (state, published), "after {action:?}");
    }
}

async fn the_log_is_followed_by_position(s: &dyn ArticleLog) {
    let t: TenantId = "of-following".into();
    for number in 0..super::MAX_REVISIONS as u32 + 3 {
        write(s, &t, revision("a", number, ArticleAction::Draft)).await;
    }
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = s.revisions_after(&t, after).await.expect("reads");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= super::MAX_REVISIONS);
        after = last.position;
        seen.extend(page.iter().map(|one| one.number));
    }
    assert_eq!(seen, (1..=super::MAX_REVISIONS as u32 + 3).collect::<Vec<_>>());
}

async fn lists_are_filtered_and_paged(s: &dyn ArticleLog) {
    let t: TenantId = "of-lists".into();
    let at = |day| Some(jiff::civil::date(2026, 12, day));
    for (id, action, product, review_by) in [
        ("a/one", ArticleAction::Draft, "phone", None),
        ("a/two", ArticleAction::Import, "phone", at(1)),
        ("b/50%_off", ArticleAction::Import, "broadband", at(9)),
    ] {
        let mut new = revision(id, 0, action);
        let products = vec![product.into(), "x".into()];
        let valid_until = review_by.map(|day| day.saturating_add(jiff::Span::new().days(10)));
        let content = ArticleContent { products, review_by, valid_until, ..content(id) };
        new.content = Arc::new(content);
        write(s, &t, new).await;
    }
    let ids = async |change: &dyn Fn(&mut ArticleQuery)| {
        let mut query = ArticleQuery::all(t.clone());
        change(&mut query);
        let page = s.articles(&query).await.expect("reads");
        let ids: Vec<String> = page.items.iter().map(|row| row.id.to_string()).collect();
        (ids, page.next)
    };
    assert_eq!(ids(&|_| ()).await.0, ["a/one", "a/two", "b/50%_off"]);
    let (page, next) = ids(&|query| query.limit = 2).await;
    assert_eq!((page.len(), next.as_deref()), (2, Some("a/two")));
    assert_eq!(ids(&|query| query.after = next.clone()).await, (vec!["b/50%_off".into()], None));
    assert_eq!(ids(&|query| query.state = Some(ArticleState::Draft)).await.0, ["a/one"]);
    let published = ids(&|query| query.state = Some(ArticleState::Published)).await.0;
    assert_eq!(published, ["a/two", "b/50%_off"]);
    assert_eq!(ids(&|query| query.product = Some("phone".into())).await.0, ["a/one", "a/two"]);
    assert_eq!(ids(&|query| query.review_by = at(8)).await.0, ["a/two"]);
    assert_eq!(ids(&|query| query.valid_until = at(10)).await.0, [""; 0]);
    assert_eq!(ids(&|query| query.valid_until = at(11)).await.0, ["a/two"]);
    // A change that nobody has published yet doesn't let what is in force hold longer.
    let mut longer = revision("a/two", 1, ArticleAction::Draft);
    longer.content = Arc::new(ArticleContent { valid_until: at(31), ..content("a/two") });
    write(s, &t, longer).await;
    assert_eq!(ids(&|query| query.valid_until = at(11)).await.0, ["a/two"]);
    assert_eq!(ids(&|query| query.text = Some("TWO".into())).await.0, ["a/two"]);
    assert_eq!(ids(&|query| query.text = Some("0%_O".into())).await.0, ["b/50%_off"]);
    assert!(ids(&|query| query.text = Some("%'".into())).await.0.is_empty());
}

async fn those_that_are_named_come_once(s: &dyn ArticleLog) {
    let t: TenantId = "of-names".into();
    for id in ["a", "b/\"c\"", "d"] {
        write(s, &t, revision(id, 0, ArticleAction::Import)).await;
    }
    let wanted = ["d", "nothing", "b/\"c\"", "d"].map(Into::into);
    let mut rows = s.articles_named(&t, &wanted).await.expect("reads");
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["b/\"c\"", "d"]);
    let same = s.article(&t, &"d".into()).await.expect("reads");
    assert_eq!(Some(&rows[1]), same.as_ref());
    assert!(s.articles_named(&t, &[]).await.expect("reads").is_empty());
}

async fn tenants_see_nothing_of_each_other(s: &dyn ArticleLog) {
    let (t, other): (TenantId, TenantId) = ("of-mine".into(), "of-other".into());
    write(s, &t, revision("a", 0, ArticleAction::Import)).await;
    assert!(s.article(&other, &"a".into()).await.expect("reads").is_none());
    assert!(s.articles_named(&other, &["a".into()]).await.expect("reads").is_empty());
    assert!(s.revision(&other, &"a".into(), 1).await.expect("reads").is_none());
    assert!(s.in_force(&other, None).await.expect("reads").is_empty());
    assert!(s.revisions_after(&other, 0).await.expect("reads").is_empty());
    assert!(s.history(&other, &"a".into()).await.expect("reads").is_empty());
    assert_eq!(write(s, &other, revision("a", 0, ArticleAction::Draft)).await.number, 1);
}

async fn rows_know_what_a_file_last_said(s: &dyn ArticleLog) {
    let t: TenantId = "of-imports".into();
    let row = async || s.article(&t, &"a".into()).await.expect("reads").expect("it is there");
    write(s, &t, revision("a", 0, ArticleAction::Import)).await;
    let imported = row().await;
    assert_eq!(imported.imported_hash.as_ref(), Some(&imported.content_hash));
    let mut edited = revision("a", 1, ArticleAction::Draft);
    edited.content = Arc::new(content("another"));
    write(s, &t, edited).await;
    let edited = row().await;
    assert_eq!(edited.imported_hash, imported.imported_hash);
    assert_ne!(edited.content_hash, imported.content_hash);
}

async fn what_is_told_comes_with_the_revision<S: Store + ArticleLog>(s: &S) {
    let t: TenantId = "of-telling".into();
    let told =
        || NewEvent::at(Timestamp::now(), EventBody::ArticlesImported(ArticlesImported::default()));
    let late = s.revise(&t, vec![revision("a", 3, ArticleAction::Draft)], vec![told()]).await;
    assert!(late.is_err());
    assert!(s.read(&ReadQuery::all(t.clone(), 0)).await.expect("reads").is_empty());
    s.revise(&t, vec![revision("a", 0, ArticleAction::Draft)], vec![told()])
        .await
        .expect("written");
    let events = s.read(&ReadQuery::all(t.clone(), 0)).await.expect("reads");
    assert_eq!((events.len(), &*events[0].kind), (1, "article.imported"));
    assert_eq!(events[0].conversation.as_str(), crate::store::SYSTEM);
}

async fn writers_at_once_leave_no_gap<S: Store + ArticleLog + 'static>(store: Arc<S>) {
    let t: TenantId = "of-race".into();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, t) = (store.clone(), t.clone());
            tokio::spawn(async move {
                let mut written = 0;
                while written < 5 {
                    let row = store.article(&t, &"a".into()).await.expect("reads");
                    let based_on = row.map_or(0, |row| row.number);
                    let new = revision("a", based_on, ArticleAction::Draft);
                    match store.revise(&t, vec![new], vec![]).await {
                        Ok(_) => written += 1,
                        Err(StoreError::StaleRevision { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let numbers: Vec<u32> =
        store.history(&t, &"a".into()).await.expect("reads").iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
}
