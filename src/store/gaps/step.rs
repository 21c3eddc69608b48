//! One step of the projection: what a stretch of the log changes, all of it or nothing.

use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Row, Transaction};

use super::{KeptGap, QuestionRow, bytes, numbers, read_error, time, write_error};
use crate::domain::{CardId, ConversationId, GapReason, Redacted, TenantId};
use crate::store::StoreError;

/// Dropped without `commit` it leaves nothing behind.
pub struct GapStep(pub(super) Transaction<'static, Sqlite>);

impl GapStep {
    pub async fn question(
        &mut self,
        tenant: &TenantId,
        conversation: &ConversationId,
        key: &str,
    ) -> Result<Option<QuestionRow>, StoreError> {
        let row = sqlx::query(
            "SELECT position, conversation, key, turn, time, reason, text, context, answered, gap, \
             counted, vector FROM questions WHERE tenant = ? AND conversation = ? AND key = ?",
        )
        .bind(tenant.as_str())
        .bind(conversation.as_str())
        .bind(key)
        .fetch_optional(&mut *self.0)
        .await
        .map_err(|error| read_error(&error))?;
        row.map(|row| question(&row)).transpose()
    }

    /// Writes a question down, or what has changed of it.
    pub async fn save_question(
        &mut self,
        tenant: &TenantId,
        row: &QuestionRow,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO questions (position, tenant, conversation, key, turn, time, reason, text, \
             context, answered, gap, counted, vector) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) \
             ON CONFLICT (position) DO UPDATE SET answered = excluded.answered, \
             gap = excluded.gap, counted = excluded.counted, vector = excluded.vector",
        )
        .bind(row.position as i64)
        .bind(tenant.as_str())
        .bind(row.conversation.as_str())
        .bind(row.key.as_str())
        .bind(row.turn.as_ref().map(|turn| turn.as_str()))
        .bind(row.time.as_millisecond())
        .bind(row.reason.as_str())
        .bind(row.text.as_str())
        .bind(row.context.as_ref().map(Redacted::as_str))
        .bind(row.is_answered)
        .bind(row.gap.map(|gap| gap as i64))
        .bind(row.is_counted)
        .bind((!row.vector.is_empty()).then(|| bytes(&row.vector)))
        .execute(&mut *self.0)
        .await
        .map(drop)
        .map_err(|error| write_error(&error))
    }

    /// A card that was offered for a question, which nobody has judged.
    pub async fn save_card(
        &mut self,
        tenant: &TenantId,
        card: &CardId,
        conversation: &ConversationId,
        key: &str,
        outcome: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO cards (tenant, id, conversation, question, outcome) VALUES (?,?,?,?,?) \
             ON CONFLICT (tenant, id) DO UPDATE SET outcome = excluded.outcome",
        )
        .bind(tenant.as_str())
        .bind(card.as_str())
        .bind(conversation.as_str())
        .bind(key)
        .bind(outcome)
        .execute(&mut *self.0)
        .await
        .map(drop)
        .map_err(|error| write_error(&error))
    }

    /// The key of a card's question, and what became of the card.
    pub async fn card(
        &mut self,
        tenant: &TenantId,
        card: &CardId,
    ) -> Result<Option<(String, String)>, StoreError> {
        let row = sqlx::query("SELECT question, outcome FROM cards WHERE tenant = ? AND id = ?")
            .bind(tenant.as_str())
            .bind(card.as_str())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(|error| read_error(&error))?;
        Ok(row.map(|row| (row.get(0), row.get(1))))
    }

    /// What became of all cards for a question.
    pub async fn outcomes(
        &mut self,
        tenant: &TenantId,
        conversation: &ConversationId,
        key: &str,
    ) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT outcome FROM cards WHERE tenant = ? AND conversation = ? AND question = ?",
        )
        .bind(tenant.as_str())
        .bind(conversation.as_str())
        .bind(key)
        .fetch_all(&mut *self.0)
        .await
        .map_err(|error| read_error(&error))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Writes a group down, or what has changed of it: its identifier stays.
    pub async fn save_gap(&mut self, tenant: &TenantId, gap: &KeptGap) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO gaps (first, tenant, id, count, sum, medoid, medoid_vector) \
             VALUES (?,?,?,?,?,?,?) ON CONFLICT (first) DO UPDATE SET count = excluded.count, \
             sum = excluded.sum, medoid = excluded.medoid, medoid_vector = excluded.medoid_vector",
        )
        .bind(gap.first as i64)
        .bind(tenant.as_str())
        .bind(gap.id.as_str())
        .bind(gap.count as i64)
        .bind(bytes(&gap.sum))
        .bind(gap.medoid as i64)
        .bind(bytes(&gap.medoid_vector))
        .execute(&mut *self.0)
        .await
        .map(drop)
        .map_err(|error| write_error(&error))
    }

    /// How long a conversation took.
    pub async fn ended(
        &mut self,
        tenant: &TenantId,
        conversation: &ConversationId,
        duration_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO conversations (tenant, id, duration_ms) VALUES (?,?,?)")
            .bind(tenant.as_str())
            .bind(conversation.as_str())
            .bind(i64::try_from(duration_ms).unwrap_or(i64::MAX))
            .execute(&mut *self.0)
            .await
            .map(drop)
            .map_err(|error| write_error(&error))
    }

    /// Throws away what is kept of a tenant.
    pub async fn forget(&mut self, tenant: &TenantId) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM progress WHERE tenant = ?",
            "DELETE FROM conversations WHERE tenant = ?",
            "DELETE FROM cards WHERE tenant = ?",
            "DELETE FROM questions WHERE tenant = ?",
            "DELETE FROM gaps WHERE tenant = ?",
        ] {
            let done = sqlx::query(sql).bind(tenant.as_str()).execute(&mut *self.0).await;
            done.map_err(|error| write_error(&error))?;
        }
        Ok(())
    }

    /// The log was read up to `position`.
    pub async fn commit(
        mut self,
        tenant: &TenantId,
        position: u64,
        likeness: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO progress (tenant, position, likeness) VALUES (?,?,?)")
            .bind(tenant.as_str())
            .bind(position as i64)
            .bind(likeness)
            .execute(&mut *self.0)
            .await
            .map_err(|error| write_error(&error))?;
        self.0.commit().await.map_err(|error| write_error(&error))
    }
}

fn question(row: &SqliteRow) -> Result<QuestionRow, StoreError> {
    let reason: &str = row.get(5);
    Ok(QuestionRow {
        position: row.get::<i64, _>(0) as u64,
        conversation: row.get::<&str, _>(1).into(),
        key: row.get(2),
        turn: row.get::<Option<&str>, _>(3).map(Into::into),
        time: time(row.get(4))?,
        reason: GapReason::parse(reason)
            .ok_or_else(|| StoreError::Corrupt(format!("no question is missed by {reason}")))?,
        text: Redacted::vouched(row.get::<&str, _>(6)),
        context: row.get::<Option<&str>, _>(7).map(Redacted::vouched),
        is_answered: row.get(8),
        gap: row.get::<Option<i64>, _>(9).map(|gap| gap as u64),
        is_counted: row.get(10),
        vector: row.get::<Option<&[u8]>, _>(11).map(numbers).unwrap_or_default(),
    })
}
