//! What stands beside the log: whatever is changed in articles and cards past the store is found and named.

use super::*;
use crate::domain::{ArticleChanged, ArticlesImported, EventBody, ImportedRevision, NewEvent};
use crate::store::articles::codec::revision_hash;
use crate::store::articles::conformance::revision;
use crate::store::conformance::card;

on_both!(
    what_was_changed_in_articles_is_found,
    revisions_that_are_gone_are_found,
    what_is_told_without_a_hash_is_compared_as_far_as_it_goes,
    a_card_that_is_not_found_where_it_was_offered_is_named,
);

const T: &str = "t";

/// One article from a file, and one that is in force and has a newer draft.
async fn filled(home: &Home, is_hashed: bool) {
    let t = TenantId::from(T);
    let log = home.open().await;
    let now = jiff::Timestamp::now();
    let file = revision("file", 0, ArticleAction::Import);
    let mut imported = ArticlesImported { new: 1, ..Default::default() };
    if is_hashed {
        let (article_id, hash) = (file.article.clone(), revision_hash(&file));
        imported.revisions.push(ImportedRevision { article_id, revision: 1, hash });
    }
    let event = NewEvent::at(now, EventBody::ArticlesImported(imported));
    log.revise(&t, vec![file], vec![event]).await.expect("written");
    let actions =
        [ArticleAction::Draft, ArticleAction::Submit, ArticleAction::Publish, ArticleAction::Draft];
    for (based_on, action) in (0..).zip(actions) {
        let new = revision("a", based_on, action);
        let changed = ArticleChanged {
            article_id: new.article.clone(),
            revision: based_on + 1,
            action,
            title: new.content.title.clone(),
            by: new.by.clone(),
            comment: None,
            hash: is_hashed.then(|| revision_hash(&new)),
        };
        let event = NewEvent::at(now, EventBody::ArticleChanged(Box::new(changed)));
        log.revise(&t, vec![new], vec![event]).await.expect("written");
    }
    log.close().await;
}

async fn named(home: &Home) -> String {
    let log = home.place.open_to_read().await.expect("it can be read");
    let report = log.audit(None, |_| ()).await.expect("it can be read");
    log.close().await;
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}

async fn what_was_changed_in_articles_is_found(home: Home) {
    filled(&home, true).await;
    assert_eq!(named(&home).await, "");
    let of_3 = "article = 'a' AND number = 3";
    for (table, set, back, of, what) in [
        ("article_revisions", "approver = 'Mallory'", "approver = NULL", of_3, "revision 3"),
        ("article_revisions", "author = 'Mallory'", "author = 'Ada'", of_3, "revision 3"),
        ("article_revisions", "time = time + 1", "time = time - 1", of_3, "revision 3"),
        ("article_revisions", "comment = 'Fine.'", "comment = NULL", of_3, "the comment"),
        (
            "article_revisions",
            "content = replace(content, 'five', 'nine')",
            "content = replace(content, 'nine', 'five')",
            "article = 'file'",
            "article file of t: revision 1",
        ),
        ("articles", "title = 'Other'", "title = 'a'", "id = 'a'", "its title"),
        ("articles", "approver = 'Mallory'", "approver = NULL", "id = 'a'", "its approver"),
        (
            "articles",
            "content_hash = content_hash || 'x'",
            "content_hash = replace(content_hash, 'x', '')",
            "id = 'a'",
            "what it says",
        ),
        (
            "articles",
            "published_number = NULL",
            "published_number = 3",
            "id = 'a'",
            "what is in force",
        ),
    ] {
        home.change(&format!("UPDATE {table} SET {set} WHERE {of}")).await;
        let found = named(&home).await;
        assert!(found.contains(what), "{set}: {found}");
        home.change(&format!("UPDATE {table} SET {back} WHERE {of}")).await;
        assert_eq!(named(&home).await, "", "{set}");
    }
}

async fn revisions_that_are_gone_are_found(home: Home) {
    filled(&home, true).await;
    home.change("DELETE FROM article_revisions WHERE number = 2").await;
    let found = named(&home).await;
    assert!(found.contains("article a has a gap"), "{found}");
    assert!(found.contains("article a of t: revision 2"), "{found}");
    // With the row as well: only the event tells of it.
    home.change("DELETE FROM article_revisions WHERE article = 'file'").await;
    let found = named(&home).await;
    assert!(found.contains("article file of t: its row says in its newest revision"), "{found}");
    home.change("DELETE FROM articles WHERE id = 'file'").await;
    let found = named(&home).await;
    assert!(found.contains("article file of t: revision 1"), "{found}");
}

async fn what_is_told_without_a_hash_is_compared_as_far_as_it_goes(home: Home) {
    filled(&home, false).await;
    assert_eq!(named(&home).await, "");
    home.change("UPDATE article_revisions SET \"by\" = 'Mallory' WHERE number = 2").await;
    let found = named(&home).await;
    assert!(
        found.contains("article a of t: revision 2") && found.contains("who did it"),
        "{found}"
    );
}

async fn a_card_that_is_not_found_where_it_was_offered_is_named(home: Home) {
    let t = TenantId::from(T);
    let log = home.open().await;
    // The second one has the first one's identifier: it is found in the first.
    for (id, card_id) in [("c-1", "k-1"), ("c-2", "k-1"), ("c-3", "k-3")] {
        let group = vec![started(None), card(card_id), ended()];
        log.append(&t, &id.into(), group).await.expect("append");
    }
    log.close().await;
    drop(log);
    assert_eq!(named(&home).await, "");
    home.change("UPDATE cards SET conversation = 'c-1' WHERE id = 'k-3'").await;
    let found = named(&home).await;
    assert_eq!(found, "conversation c-3 of t: card k-3 isn't found where it was offered");
    home.change("UPDATE cards SET conversation = 'c-3' WHERE id = 'k-3'").await;
    assert_eq!(named(&home).await, "");
    home.change("DELETE FROM cards WHERE id = 'k-3'").await;
    let found = named(&home).await;
    assert_eq!(found, "conversation c-3 of t: card k-3 isn't found where it was offered");
}
