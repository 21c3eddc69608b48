//! Copies a log's rows from one database into another, empty one.

use async_trait::async_trait;
use sqlx::Error;

use crate::store::StoreError;
use crate::store::reader::read_error;
use crate::store::sql::{Connection, Row, Sql, Value};

/// Rows a statement; times the columns of the widest table, both databases take as many values.
const PAGE: usize = 500;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Int,
    Bytes,
}
use Kind::{Bytes, Int, Text};

pub struct Table {
    pub name: &'static str,
    /// How many of the first columns are its key, by which its pages go.
    key: usize,
    columns: &'static [(&'static str, Kind)],
}

/// What becomes of rows on their way.
#[async_trait]
pub trait Change: Send {
    /// Changes a page of a table's rows, in the order of their keys, before they are written.
    async fn change(
        &mut self,
        table: &Table,
        rows: &mut [Vec<Value>],
        from: &mut Connection,
        to: &mut Connection,
    ) -> Result<(), StoreError>;
}

/// Everything but `log`, which `copy` writes last, what is empty by its nature, and the keys of backups.
const TABLES: &[Table] = &[
    Table {
        name: "events",
        key: 1,
        columns: &[
            ("position", Int),
            ("tenant", Text),
            ("conversation", Text),
            ("sequence", Int),
            ("id", Text),
            ("time", Int),
            ("kind", Text),
            ("schema", Text),
            ("data", Text),
            ("salt", Bytes),
            ("commitment", Bytes),
            ("chain", Bytes),
        ],
    },
    Table {
        name: "conversations",
        key: 1,
        columns: &[
            ("first_position", Int),
            ("tenant", Text),
            ("id", Text),
            ("state", Text),
            ("channel", Text),
            ("external_id", Text),
            ("started_at", Int),
            ("ended_at", Int),
            ("duration_ms", Int),
            ("parties", Text),
            ("attributes", Text),
            ("turn_count", Int),
            ("card_count", Int),
            ("last_turn", Text),
            ("last_event_at", Int),
            ("last_sequence", Int),
            ("last_position", Int),
            ("chain", Bytes),
            ("erased_at", Int),
        ],
    },
    Table {
        name: "cards",
        key: 2,
        columns: &[("tenant", Text), ("id", Text), ("conversation", Text)],
    },
    Table {
        name: "article_revisions",
        key: 1,
        columns: &[
            ("position", Int),
            ("tenant", Text),
            ("article", Text),
            ("number", Int),
            ("action", Text),
            ("author", Text),
            ("by", Text),
            ("approver", Text),
            ("time", Int),
            ("comment", Text),
            ("schema", Text),
            ("content", Text),
            ("provenance", Text),
        ],
    },
    Table {
        name: "articles",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("id", Text),
            ("number", Int),
            ("action", Text),
            ("state", Text),
            ("title", Text),
            ("author", Text),
            ("by", Text),
            ("approver", Text),
            ("time", Int),
            ("audience", Text),
            ("products", Text),
            ("language", Text),
            ("review_by", Text),
            ("content_hash", Text),
            ("imported_hash", Text),
            ("published_number", Int),
            ("published_position", Int),
        ],
    },
    Table {
        name: "outbox",
        key: 1,
        columns: &[
            ("position", Int),
            ("tenant", Text),
            ("destination", Text),
            ("key", Text),
            ("lane", Text),
            ("conversation", Text),
            ("operation", Text),
            ("schema", Text),
            ("effect", Text),
            ("wrapup", Text),
            ("by", Text),
            ("state", Text),
            ("attempts", Int),
            ("next_at", Int),
            ("unclear", Int),
            ("remote_id", Text),
            ("problem", Text),
            ("created_at", Int),
            ("updated_at", Int),
        ],
    },
];

impl Table {
    /// Where a column stands in a row.
    pub fn index(&self, column: &str) -> usize {
        let at = self.columns.iter().position(|(name, _)| *name == column);
        at.expect("the columns are constants; this is a bug")
    }

    fn names(&self) -> String {
        let quoted: Vec<String> =
            self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        quoted.join(", ")
    }

    /// The rows after the one with this key.
    fn page(&self, after: &[Value]) -> Sql {
        let mut sql = Sql::new(format!("SELECT {} FROM {}", self.names(), self.name));
        let key: Vec<&str> = self.columns[..self.key].iter().map(|(name, _)| *name).collect();
        if !after.is_empty() {
            let names: Vec<String> = after.iter().map(|value| sql.next(value.clone())).collect();
            sql.push(&format!(" WHERE ({}) > ({})", key.join(", "), names.join(", ")));
        }
        sql.push(&format!(" ORDER BY {} LIMIT {PAGE}", key.join(", ")));
        sql
    }

    fn values(&self, row: &Row) -> Vec<Value> {
        let value = |(at, (_, kind)): (usize, &(&str, Kind))| match kind {
            Kind::Text => Value::from(row.maybe_text(at)),
            Kind::Int => Value::from(row.maybe_int(at)),
            Kind::Bytes => Value::Bytes(row.maybe_bytes(at)),
        };
        self.columns.iter().enumerate().map(value).collect()
    }

    fn insert(&self, rows: &[Vec<Value>]) -> Sql {
        let mut sql = Sql::new(format!("INSERT INTO {} ({}) VALUES ", self.name, self.names()));
        for (at, row) in rows.iter().enumerate() {
            let names: Vec<String> = row.iter().map(|value| sql.next(value.clone())).collect();
            let comma = if at == 0 { "" } else { ", " };
            sql.push(&format!("{comma}({})", names.join(", ")));
        }
        sql
    }
}

/// The names of the tables that are copied.
#[cfg(test)]
pub fn tables() -> Vec<&'static str> {
    TABLES.iter().map(|table| table.name).collect()
}

/// Copies every row; both connections are in a transaction, the one that reads in one whose view doesn't change.
/// `failed` says what an error of the one that is written to means, and `progress` hears how many rows were copied.
pub async fn copy(
    from: &mut Connection,
    to: &mut Connection,
    change: &mut dyn Change,
    failed: fn(&Error) -> StoreError,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), StoreError> {
    let unread = |error: Error| read_error(&error);
    let mut count = 0;
    for table in TABLES {
        let mut after: Vec<Value> = Vec::new();
        loop {
            let rows = from.rows(table.page(&after)).await.map_err(unread)?;
            let mut rows: Vec<Vec<Value>> = rows.iter().map(|row| table.values(row)).collect();
            let Some(last) = rows.last() else { break };
            after = last[..table.key].to_vec();
            change.change(table, &mut rows, from, to).await?;
            to.execute(table.insert(&rows)).await.map_err(|error| failed(&error))?;
            count += rows.len() as u64;
            progress(count);
        }
    }
    let row = from.row(Sql::new("SELECT position, revision, seal, id FROM log")).await;
    let row = row.map_err(unread)?.ok_or_else(|| read_error(&Error::RowNotFound))?;
    let sql = Sql::new("UPDATE log SET position = $1, revision = $2, seal = $3, id = $4")
        .with(row.int(0))
        .with(row.int(1))
        .with(row.bytes(2).as_slice())
        .with(row.text(3));
    to.execute(sql).await.map(drop).map_err(|error| failed(&error))
}

/// Takes every row away.
pub async fn empty(connection: &mut Connection) -> Result<(), Error> {
    for table in TABLES {
        connection.execute(Sql::new(format!("DELETE FROM {}", table.name))).await?;
    }
    connection.execute(Sql::new("DELETE FROM backup_keys")).await.map(drop)
}
