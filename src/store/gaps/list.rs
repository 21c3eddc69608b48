//! Reading: which gaps there are, and what they cost.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{GapFile, read_error, time};
use crate::domain::{ConversationId, GapReason, Redacted, TenantId, TurnId};
use crate::store::{Page, StoreError};

/// The most gaps of one page.
const MAX_GAPS: usize = 500;
/// Questions that are looked at for samples.
const SAMPLED: i64 = 60;

/// Which gaps to list: those with a question that wasn't answered.
#[derive(Clone, Debug)]
pub struct GapQuery {
    pub tenant: TenantId,
    /// Only what was asked from then on counts.
    pub since: Option<Timestamp>,
    pub limit: usize,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// A gap, with what its unanswered questions cost.
#[derive(Clone, Debug, PartialEq)]
pub struct GapRow {
    /// Position of its first question.
    pub first: u64,
    pub id: String,
    /// That question, and when it was asked, however long ago.
    pub opener: Redacted,
    pub opened_at: Timestamp,
    /// Position of the question that stands for it.
    pub medoid: u64,
    pub question: Redacted,
    pub context: Option<Redacted>,
    pub questions: u64,
    pub conversations: u64,
    /// How many of the conversations are over, and how long those took in all.
    pub ended: u64,
    pub handling_ms: u64,
    /// What all conversations take, when those that are not over take as long as the others.
    pub cost_ms: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// In the order of `GapReason::ALL`.
    pub reasons: [u64; GapReason::ALL.len()],
}

#[derive(Clone, Debug, PartialEq)]
pub struct GapSample {
    pub conversation: ConversationId,
    pub turn: Option<TurnId>,
    pub text: Redacted,
    pub time: Timestamp,
}

/// What was asked after a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Since {
    pub asked: u64,
    pub answered: u64,
}

const LIST: &str = "WITH missed AS ( \
       SELECT gap, conversation, time, reason FROM questions \
       WHERE tenant = ?1 AND answered = 0 AND gap IS NOT NULL AND time >= ?2), \
     counts AS ( \
       SELECT gap, count(*) AS questions, min(time) AS first_seen, max(time) AS last_seen, \
         sum(reason = 'abstained') AS abstained, sum(reason = 'dismissed') AS dismissed, \
         sum(reason = 'asked') AS asked, sum(reason = 'searched') AS searched \
       FROM missed GROUP BY gap), \
     talks AS ( \
       SELECT m.gap, count(*) AS conversations, count(c.duration_ms) AS ended, \
         coalesce(sum(c.duration_ms), 0) AS handling \
       FROM (SELECT DISTINCT gap, conversation FROM missed) m \
       LEFT JOIN conversations c ON c.tenant = ?1 AND c.id = m.conversation GROUP BY m.gap), \
     ranked AS ( \
       SELECT counts.*, conversations, ended, handling, \
         CASE ended WHEN 0 THEN 0 ELSE handling * conversations / ended END AS cost \
       FROM counts JOIN talks USING (gap)) \
     SELECT g.first, g.id, g.medoid, q.text, q.context, r.questions, r.conversations, r.ended, \
       r.handling, r.cost, r.first_seen, r.last_seen, r.abstained, r.dismissed, r.asked, \
       r.searched, o.text, o.time \
     FROM ranked r JOIN gaps g ON g.first = r.gap JOIN questions q ON q.position = g.medoid \
     JOIN questions o ON o.position = g.first";

impl GapFile {
    /// The dearest first; of those that cost the same, the one that was asked more often, then the older.
    ///
    /// # Errors
    /// The file can't be read, or `after` is none of its places.
    pub async fn list(&self, query: &GapQuery) -> Result<Page<GapRow>, StoreError> {
        const PAGE: &str = " WHERE (r.cost, r.questions, -g.first) < (?3, ?4, ?5) \
             ORDER BY r.cost DESC, r.questions DESC, g.first LIMIT ?6";
        let limit = query.limit.clamp(1, MAX_GAPS);
        let (cost, questions, first) = match &query.after {
            Some(after) => place(after)?,
            None => (i64::MAX, i64::MAX, 0),
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{LIST}{PAGE}")))
            .bind(query.tenant.as_str())
            .bind(query.since.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(cost)
            .bind(questions)
            .bind(-first)
            .bind(limit as i64 + 1)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        let is_more = rows.len() > limit;
        let items = rows.iter().take(limit).map(gap).collect::<Result<Vec<_>, _>>()?;
        let next = items.last().filter(|_| is_more).map(GapRow::place);
        Ok(Page { items, next })
    }

    /// One gap, whose questions have been answered since or not.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn gap(&self, tenant: &TenantId, id: &str) -> Result<Option<GapRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{LIST} WHERE g.id = ?3")))
            .bind(tenant.as_str())
            .bind(i64::MIN)
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        row.map(|row| gap(&row)).transpose()
    }

    /// Its newest unanswered questions, of as many conversations as there are.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn samples(
        &self,
        gap: u64,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<GapSample>, StoreError> {
        let rows = sqlx::query(
            "SELECT conversation, turn, text, time FROM questions \
             WHERE gap = ? AND answered = 0 AND time >= ? ORDER BY time DESC, position DESC LIMIT ?",
        )
        .bind(gap as i64)
        .bind(since.map_or(i64::MIN, Timestamp::as_millisecond))
        .bind(SAMPLED)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| read_error(&error))?;
        let (mut samples, mut again): (Vec<GapSample>, Vec<GapSample>) = (Vec::new(), Vec::new());
        for row in &rows {
            let sample = GapSample {
                conversation: row.get::<&str, _>(0).into(),
                turn: row.get::<Option<&str>, _>(1).map(Into::into),
                text: Redacted::vouched(row.get::<&str, _>(2)),
                time: time(row.get(3))?,
            };
            let is_known = samples.iter().any(|one| one.conversation == sample.conversation);
            if is_known { again.push(sample) } else { samples.push(sample) }
        }
        samples.extend(again);
        samples.truncate(limit);
        Ok(samples)
    }

    /// How often its question was asked after a moment, and answered.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn asked_since(&self, gap: u64, moment: Timestamp) -> Result<Since, StoreError> {
        let row = sqlx::query(
            "SELECT count(*), coalesce(sum(answered), 0) FROM questions WHERE gap = ? AND time > ?",
        )
        .bind(gap as i64)
        .bind(moment.as_millisecond())
        .fetch_one(&self.pool)
        .await
        .map_err(|error| read_error(&error))?;
        let count = |column: usize| row.get::<i64, _>(column) as u64;
        Ok(Since { asked: count(0), answered: count(1) })
    }

    /// Up to where the log was read for a tenant.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn position(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT position FROM progress WHERE tenant = ?")
            .bind(tenant.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        Ok(row.map_or(0, |row| row.get::<i64, _>(0) as u64))
    }
}

impl GapRow {
    /// Where it stands in the list.
    pub fn place(&self) -> String {
        format!("{}-{}-{}", self.cost_ms, self.questions, self.first)
    }
}

fn place(text: &str) -> Result<(i64, i64, i64), StoreError> {
    let parts: Vec<i64> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [cost, questions, first] => Ok((cost, questions, first)),
        _ => Err(StoreError::BadCursor(format!("`{}`", text.chars().take(40).collect::<String>()))),
    }
}

fn gap(row: &SqliteRow) -> Result<GapRow, StoreError> {
    let number = |column: usize| row.get::<i64, _>(column) as u64;
    Ok(GapRow {
        first: number(0),
        id: row.get(1),
        medoid: number(2),
        question: Redacted::vouched(row.get::<&str, _>(3)),
        context: row.get::<Option<&str>, _>(4).map(Redacted::vouched),
        questions: number(5),
        conversations: number(6),
        ended: number(7),
        handling_ms: number(8),
        cost_ms: number(9),
        first_seen: time(row.get(10))?,
        last_seen: time(row.get(11))?,
        reasons: [number(12), number(13), number(14), number(15)],
        opener: Redacted::vouched(row.get::<&str, _>(16)),
        opened_at: time(row.get(17))?,
    })
}
