//! Changes of articles, one kind for each action.

use super::{Encoded, json};
use crate::domain::{ArticleAction, ArticleChanged, ArticlesImported, ImportedRevision};
use crate::store::wire;

pub const ARTICLE_DRAFTED: &str = "article.drafted";
pub const ARTICLE_IMPORTED: &str = "article.imported";

pub fn changed(x: &ArticleChanged) -> Encoded {
    let data = wire::ArticleChanged {
        article_id: x.article_id.to_string(),
        revision: x.revision,
        state: x.action.leads_to().as_str().into(),
        title: x.title.as_str().into(),
        by: x.by.clone(),
        comment: x.comment.as_ref().map(|comment| comment.as_str().into()),
        hash: x.hash.clone(),
    };
    match x.action {
        ArticleAction::Draft => encoded!("article.drafted", data),
        ArticleAction::Submit => encoded!("article.submitted", data),
        ArticleAction::Approve => encoded!("article.approved", data),
        ArticleAction::Return => encoded!("article.returned", data),
        // Whoever imports one article publishes it.
        ArticleAction::Publish | ArticleAction::Import => encoded!("article.published", data),
        ArticleAction::Retire => encoded!("article.retired", data),
    }
}

pub fn imported(x: &ArticlesImported) -> Encoded {
    let revision = |one: &ImportedRevision| wire::ImportedRevision {
        article_id: one.article_id.to_string(),
        revision: one.revision,
        hash: one.hash.clone(),
    };
    let revisions = x.revisions.iter().map(revision).collect();
    let data = wire::ArticlesImported { new: x.new, changed: x.changed, revisions };
    encoded!("article.imported", data)
}
