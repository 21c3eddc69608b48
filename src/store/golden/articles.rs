use std::sync::Arc;

use super::*;
use crate::store::articles::codec as log;
use crate::store::articles::conformance::content;

#[test]
fn changes_of_articles_are_told_as_they_always_were() {
    let changed = |action, comment: Option<&str>| {
        EventBody::ArticleChanged(Box::new(ArticleChanged {
            article_id: "b/r".into(),
            revision: 3,
            action,
            title: Redacted::vouched("Refunds"),
            by: "Ada".into(),
            comment: comment.map(Redacted::vouched),
            hash: None,
        }))
    };
    check(
        changed(ArticleAction::Publish, None),
        r#"{"article_id":"b/r","revision":3,"state":"published","title":"Refunds","by":"Ada"}"#,
        to_value::<wire::ArticleChanged>,
    );
    check(
        changed(ArticleAction::Return, Some("Say when.")),
        r#"{"article_id":"b/r","revision":3,"state":"draft","title":"Refunds","by":"Ada","comment":"Say when."}"#,
        to_value::<wire::ArticleChanged>,
    );
    check(
        EventBody::ArticlesImported(ArticlesImported { new: 2, changed: 1, ..Default::default() }),
        r#"{"new":2,"changed":1}"#,
        to_value::<wire::ArticlesImported>,
    );
    let hash = || "7ad0d2958d33fb0b5f3afb0da09572b8".to_owned();
    let one = ImportedRevision { article_id: "b/r".into(), revision: 3, hash: hash() };
    check(
        EventBody::ArticlesImported(ArticlesImported { new: 0, changed: 1, revisions: vec![one] }),
        r#"{"new":0,"changed":1,"revisions":[{"article_id":"b/r","revision":3,"hash":"7ad0d2958d33fb0b5f3afb0da09572b8"}]}"#,
        to_value::<wire::ArticlesImported>,
    );
    let mut hashed = changed(ArticleAction::Publish, None);
    if let EventBody::ArticleChanged(changed) = &mut hashed {
        changed.hash = Some(hash());
    }
    check(
        hashed,
        r#"{"article_id":"b/r","revision":3,"state":"published","title":"Refunds","by":"Ada","hash":"7ad0d2958d33fb0b5f3afb0da09572b8"}"#,
        to_value::<wire::ArticleChanged>,
    );
    let kinds = ArticleAction::ALL.map(|action| codec::encode(&changed(action, None)).kind);
    let expected = [
        "article.drafted",
        "article.submitted",
        "article.approved",
        "article.returned",
        "article.published",
        "article.retired",
        "article.published",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn comparisons_of_proposals_are_written_as_they_always_were() {
    let compared = ProposalCompared {
        wrapup_id: "w-end-article-1".into(),
        outcome: ProposalOutcome::Changed,
        article: "b/r".into(),
        revision: 4,
        coverage: 0.25,
        conflicts: 1,
    };
    check(
        EventBody::ProposalCompared(Box::new(compared)),
        r#"{"wrapup_id":"w-end-article-1","outcome":"changed","article_id":"b/r","revision":4,"coverage":0.25,"conflicts":1}"#,
        to_value::<wire::ArticleCompared>,
    );
}

#[test]
fn what_articles_say_is_written_as_it_always_was() {
    let plain = content("Refunds");
    let written = r##"{"title":"Refunds","body":"# Refunds\n\n## When\nWithin five days.\n","audience":["agent"],"products":["broadband"],"language":"en","verbatim":false}"##;
    assert_eq!(log::encode(&plain), written);
    assert_eq!(log::decode(&"a".into(), written).expect("reads"), Arc::new(plain.clone()));
    // An import compares with the hash of the last one: another hash would publish everything anew.
    assert_eq!(log::content_hash(&plain), "7ad0d2958d33fb0b5f3afb0da09572b8");
    let whole = ArticleContent {
        valid_from: Some(jiff::civil::date(2026, 5, 1)),
        valid_until: Some(jiff::civil::date(2027, 5, 1)),
        review_by: Some(jiff::civil::date(2027, 1, 1)),
        source: Some("Policy 4".into()),
        verbatim: true,
        asked_as: [("When".to_owned(), vec![Redacted::vouched("how long")])].into(),
        front_matter: Some(Redacted::vouched("+++\n")),
        ..plain
    };
    let written = written.replace(
        r#""verbatim":false}"#,
        r#""valid_from":"2026-05-01","valid_until":"2027-05-01","review_by":"2027-01-01","source":"Policy 4","verbatim":true,"asked_as":{"When":["how long"]},"front_matter":"+++\n"}"#,
    );
    assert_eq!(log::encode(&whole), written);
    assert_eq!(log::decode(&"a".into(), &written).expect("reads"), Arc::new(whole));
}
