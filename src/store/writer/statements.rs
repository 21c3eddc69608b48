//! The writer's statements that are the same in both back ends.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::Error;

use crate::domain::{
    ArticleAction, ArticleId, ArticleRevision, ArticleState, DeliveryMove, NewRevision, Redacted,
    TenantId,
};
use crate::store::articles::codec;
use crate::store::sql::{Connection, Sql};

/// Moves a delivery. Whether it stood where it was said to stand.
pub async fn advance_delivery(
    connection: &mut Connection,
    step: &DeliveryMove,
) -> Result<bool, Error> {
    let to = &step.to;
    let sql = Sql::new(
        "UPDATE outbox SET state = $1, attempts = $2, next_at = $3, unclear = $4, remote_id = $5, problem = $6, \
         updated_at = $7 WHERE position = $8 AND tenant = $9 AND conversation = $10 AND state = $11",
    )
    .with(to.state.as_str())
    .with(i64::from(to.attempts))
    .with(to.next_at.as_millisecond())
    .with(i64::from(to.unclear))
    .with(to.remote_id.as_deref())
    .with(to.problem.as_deref())
    .with(to.updated_at.as_millisecond())
    .with(i64::try_from(step.position).unwrap_or(i64::MAX))
    .with(step.tenant.as_str())
    .with(step.conversation.as_str())
    .with(step.from.as_str());
    Ok(connection.execute(sql).await? == 1)
}

/// A revision that is about to be written, with its place.
pub fn recorded(new: &NewRevision, position: u64, time: Timestamp) -> ArticleRevision {
    ArticleRevision {
        position,
        number: new.based_on + 1,
        article: new.article.clone(),
        action: new.action,
        author: new.author.clone(),
        by: new.by.clone(),
        approver: new.approver.clone(),
        time,
        comment: new.comment.clone(),
        content: Arc::clone(&new.content),
        provenance: Arc::clone(&new.provenance),
    }
}

/// The newest revision of an article; 0 when there is no such article.
pub async fn newest_revision(
    connection: &mut Connection,
    tenant: &TenantId,
    article: &ArticleId,
) -> Result<u32, Error> {
    let sql = Sql::new("SELECT number FROM articles WHERE tenant = $1 AND id = $2")
        .with(tenant.as_str())
        .with(article.as_str());
    Ok(connection.row(sql).await?.map_or(0, |row| row.int(0) as u32))
}

pub async fn insert_revision(
    connection: &mut Connection,
    tenant: &TenantId,
    revision: &ArticleRevision,
) -> Result<(), Error> {
    let content = codec::encode(&revision.content);
    let hash = codec::hash(&content);
    let sql = Sql::new(
        "INSERT INTO article_revisions (position, tenant, article, number, action, author, \"by\", approver, time, \
         comment, schema, content, provenance) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .with(revision.position as i64)
    .with(tenant.as_str())
    .with(revision.article.as_str())
    .with(i64::from(revision.number))
    .with(revision.action.as_str())
    .with(revision.author.as_str())
    .with(revision.by.as_str())
    .with(revision.approver.as_deref())
    .with(revision.time.as_millisecond())
    .with(revision.comment.as_ref().map(Redacted::as_str))
    .with(codec::SCHEMA)
    .with(content)
    .with(codec::encode_provenance(&revision.provenance));
    connection.execute(sql).await?;
    save_row(connection, tenant, revision, hash).await
}

/// Makes an article's row anew from what is its newest revision after others were taken away.
pub async fn show_revision(
    connection: &mut Connection,
    tenant: &TenantId,
    newest: &ArticleRevision,
) -> Result<(), Error> {
    save_row(connection, tenant, newest, codec::content_hash(&newest.content)).await
}

async fn save_row(
    connection: &mut Connection,
    tenant: &TenantId,
    revision: &ArticleRevision,
    hash: String,
) -> Result<(), Error> {
    let state = revision.state();
    let is_published = state == ArticleState::Published;
    let number = i64::from(revision.number);
    // A newer draft leaves the revision in force in force.
    let keeps = !is_published && state != ArticleState::Retired;
    let content = &revision.content;
    let audience: Vec<&str> = content.audience.iter().map(|one| one.as_str()).collect();
    let sql = Sql::new(
        "INSERT INTO articles (tenant, id, number, action, state, title, author, \"by\", approver, time, audience, \
         products, language, review_by, content_hash, imported_hash, published_number, published_position) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         ON CONFLICT (tenant, id) DO UPDATE SET number = excluded.number, action = excluded.action, \
         state = excluded.state, title = excluded.title, author = excluded.author, \
         \"by\" = excluded.\"by\", approver = excluded.approver, time = excluded.time, \
         audience = excluded.audience, products = excluded.products, \
         language = excluded.language, review_by = excluded.review_by, \
         content_hash = excluded.content_hash, \
         imported_hash = coalesce(excluded.imported_hash, articles.imported_hash), \
         published_number = CASE WHEN $19 = 1 THEN articles.published_number ELSE excluded.published_number END, \
         published_position = \
         CASE WHEN $19 = 1 THEN articles.published_position ELSE excluded.published_position END",
    )
    .with(tenant.as_str())
    .with(revision.article.as_str())
    .with(number)
    .with(revision.action.as_str())
    .with(state.as_str())
    .with(content.title.as_str())
    .with(revision.author.as_str())
    .with(revision.by.as_str())
    .with(revision.approver.as_deref())
    .with(revision.time.as_millisecond())
    .with(json(&audience))
    .with(json(&content.products))
    .with(content.language.as_str())
    .with(content.review_by.map(|date| date.to_string()))
    .with(hash.clone())
    .with((revision.action == ArticleAction::Import).then_some(hash))
    .with(is_published.then_some(number))
    .with(is_published.then_some(revision.position as i64))
    .with(i64::from(keeps));
    connection.execute(sql).await.map(drop)
}

pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys only; this is a bug")
}
