//! Changes of articles, one kind for each action.

use super::{Encoded, json};
use crate::domain::{ArticleAction, ArticleChanged};
use crate::store::wire;

pub const ARTICLE_DRAFTED: &str = "article.drafted";

pub fn changed(x: &ArticleChanged) -> Encoded {
    let data = wire::ArticleChanged {
        article_id: x.article_id.to_string(),
        revision: x.revision,
        state: x.action.leads_to().as_str().into(),
        title: x.title.as_str().into(),
        by: x.by.clone(),
        comment: x.comment.as_ref().map(|comment| comment.as_str().into()),
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
