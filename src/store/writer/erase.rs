//! The statements of an erasure, inside the writer's transaction.

use std::collections::BTreeSet;

use sqlx::Error;

use super::drafts::{self, Unreviewed};
use super::statements::json;
use crate::domain::{ConversationId, DeliveryState, TenantId};
use crate::store::chain::{Salt, commitment};
use crate::store::erasure::{Elsewhere, Erased, Erasure, Reach};
use crate::store::outbox::OF_CONVERSATION;
use crate::store::sql::{Connection, Row, Sql};
use crate::store::{ConversationState, StoreError, is_own, reader, wire};

/// Erases, or says why not; then nothing has been done.
pub async fn erase(
    connection: &mut Connection,
    what: &Erasure,
) -> Result<Result<Erased, StoreError>, Error> {
    for id in &what.conversations {
        let sql = Sql::new("SELECT state FROM conversations WHERE tenant = $1 AND id = $2")
            .with(what.tenant.as_str())
            .with(id.as_str());
        let row = connection.row(sql).await?.filter(|_| !is_own(id));
        match row.as_ref().map(|row| row.text(0)) {
            None => return Ok(Err(StoreError::NotStarted(id.clone()))),
            Some(state) if state != ConversationState::Ended.as_str() => {
                return Ok(Err(StoreError::StillLive(id.clone())));
            }
            Some(_) => {}
        }
    }
    let mut erased = Erased::default();
    if what.reach == Reach::Whole {
        // First: what is forgotten of other articles no longer says what they rest on.
        unreviewed(connection, what, &mut erased).await?;
    }
    for id in &what.conversations {
        if what.reach != Reach::Deliveries {
            let mut sql = Sql::new(BODIES);
            sql.push(" AND conversation = ").bind(id.as_str());
            if let Reach::Kinds(kinds) = &what.reach {
                reader::only_kinds(&mut sql, kinds);
            }
            bodies(connection, &what.tenant, sql, &mut erased).await?;
        }
        match what.reach {
            Reach::Whole => whole(connection, what, id, &mut erased).await?,
            Reach::Deliveries => {
                let sql = "UPDATE outbox SET effect = '', lane = '', problem = NULL WHERE tenant = $1 \
                           AND conversation = $2 AND effect <> '' AND state <> 'waiting' \
                           AND state IN ('done', 'discarded')";
                let sql = Sql::new(sql).with(what.tenant.as_str()).with(id.as_str());
                erased.deliveries += connection.execute(sql).await?;
            }
            Reach::Kinds(_) => {}
        }
    }
    for position in &what.events {
        let mut sql = Sql::new(BODIES);
        sql.push(" AND position = ").bind(i64::try_from(*position).unwrap_or(i64::MAX));
        bodies(connection, &what.tenant, sql, &mut erased).await?;
    }
    Ok(Ok(erased))
}

/// Drafts that nobody has reviewed say what was said in the conversations, and so does what was told of them.
async fn unreviewed(
    connection: &mut Connection,
    what: &Erasure,
    erased: &mut Erased,
) -> Result<(), Error> {
    let rows = connection.rows(drafts::drafted(&what.tenant)).await?;
    let gone = drafts::unreviewed(&rows, &what.conversations);
    erased.add(let_go(connection, &what.tenant, &gone).await?);
    Ok(())
}

/// Takes drafts away, and what was told of them.
pub async fn let_go(
    connection: &mut Connection,
    tenant: &TenantId,
    gone: &BTreeSet<Unreviewed>,
) -> Result<Erased, Error> {
    let mut erased = Erased::default();
    if gone.is_empty() {
        return Ok(erased);
    }
    let rows = connection.rows(drafts::events(tenant)).await?;
    for position in drafts::told(&rows, gone) {
        let mut sql = Sql::new(BODIES);
        sql.push(" AND position = ").bind(position);
        bodies(connection, tenant, sql, &mut erased).await?;
    }
    drafts::remove(connection, tenant, gone).await?;
    erased.revisions += gone.len() as u64;
    erased.drafts.extend(gone.iter().map(|one| one.article.clone()));
    Ok(erased)
}

/// Of any tenant, until `bodies` says whose.
const BODIES: &str = "SELECT position, kind, salt, data FROM events WHERE salt IS NOT NULL";

async fn bodies(
    connection: &mut Connection,
    tenant: &TenantId,
    mut sql: Sql,
    erased: &mut Erased,
) -> Result<(), Error> {
    sql.push(" AND tenant = ").bind(tenant.as_str());
    for row in connection.rows(sql).await? {
        let short = |_| Error::Decode("a salt isn't 16 bytes long".into());
        let salt: Salt = row.bytes(2).try_into().map_err(short)?;
        let kept = commitment(&salt, row.text(3));
        let sql = Sql::new(
            "UPDATE events SET data = '', salt = NULL, commitment = $1 WHERE position = $2",
        );
        connection.execute(sql.with(kept.as_slice()).with(row.int(0))).await?;
        *erased.bodies.entry(row.text(1).to_owned()).or_default() += 1;
    }
    Ok(())
}

/// What stands of a conversation beside its events.
async fn whole(
    connection: &mut Connection,
    what: &Erasure,
    id: &ConversationId,
    erased: &mut Erased,
) -> Result<(), Error> {
    let (tenant, at) = (what.tenant.as_str(), what.at.as_millisecond());
    let sql = Sql::new(
        "UPDATE conversations SET external_id = NULL, parties = '[]', attributes = '{}', last_turn = NULL, \
         erased_at = $1 WHERE tenant = $2 AND id = $3 AND (erased_at IS NULL OR external_id IS NOT NULL \
         OR parties <> '[]' OR attributes <> '{}' OR last_turn IS NOT NULL)",
    );
    erased.conversations += connection.execute(sql.with(at).with(tenant).with(id.as_str())).await?;

    let sql = Sql::new(format!(
        "SELECT destination, operation, remote_id, state, unclear FROM outbox WHERE {OF_CONVERSATION} \
         AND effect <> '' ORDER BY position"
    ));
    let rows = connection.rows(sql.with(tenant).with(id.as_str())).await?;
    erased.elsewhere.extend(rows.iter().filter_map(|row| elsewhere(id, row)));
    // What waits is done by nobody any more, and what became of one on its way isn't asked for.
    let sql = Sql::new(format!(
        "UPDATE outbox SET effect = '', lane = '', remote_id = NULL, problem = NULL, updated_at = $3, \
         state = CASE WHEN state = 'done' THEN state ELSE 'discarded' END \
         WHERE {OF_CONVERSATION} AND effect <> ''"
    ));
    erased.deliveries += connection.execute(sql.with(tenant).with(id.as_str()).with(at)).await?;

    let sql = Sql::new("DELETE FROM backup_keys WHERE tenant = $1 AND conversation = $2");
    erased.backup_keys += connection.execute(sql.with(tenant).with(id.as_str())).await?;
    origins(connection, what, id, erased).await
}

/// An effect that left something, or may have.
pub fn elsewhere(conversation: &ConversationId, row: &Row) -> Option<Elsewhere> {
    let state = DeliveryState::parse(row.text("state"));
    let went = matches!(state, Some(DeliveryState::Done | DeliveryState::Sending))
        || row.int("unclear") != 0
        || row.maybe_text("remote_id").is_some();
    went.then(|| Elsewhere {
        conversation: conversation.to_string(),
        destination: row.text("destination").to_owned(),
        operation: row.text("operation").to_owned(),
        remote_id: row.maybe_text("remote_id").map(str::to_owned),
    })
}

/// Articles that were drafted from the conversation stay, without what it says about their sentences.
async fn origins(
    connection: &mut Connection,
    what: &Erasure,
    id: &ConversationId,
    erased: &mut Erased,
) -> Result<(), Error> {
    let sql = Sql::new(
        "SELECT position, article, provenance FROM article_revisions WHERE tenant = $1 AND provenance IS NOT NULL",
    );
    for row in connection.rows(sql.with(what.tenant.as_str())).await? {
        let (count, rest) = without(row.text(2), id);
        if count == 0 {
            continue;
        }
        let sql = Sql::new("UPDATE article_revisions SET provenance = $1 WHERE position = $2");
        connection.execute(sql.with(rest).with(row.int(0))).await?;
        erased.origins += count;
        erased.articles.insert(row.text(1).to_owned());
    }
    Ok(())
}

/// How many sentences come from the conversation, and where the others come from.
pub fn without(provenance: &str, id: &ConversationId) -> (u64, Option<String>) {
    // What is damaged can't be cut and isn't kept, if it may be about this one.
    let Ok(mut origins) = serde_json::from_str::<Vec<wire::SentenceOrigin>>(provenance) else {
        return (u64::from(provenance.contains(id.as_str())), None);
    };
    let before = origins.len();
    origins.retain(|origin| origin.conversation_id != id.as_str());
    ((before - origins.len()) as u64, (!origins.is_empty()).then(|| json(&origins)))
}
