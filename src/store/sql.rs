//! SQL that both back ends understand: one text, one way to bind, one way to read a row.
//!
//! Placeholders are `$1`, `$2` and so on, which SQLite and PostgreSQL both take. A column is text, a whole number of
//! 64 bits or bytes, and JSON stands in text, so that it is read as it was written. What the two say differently is
//! in `Dialect`.

use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, ColumnIndex, Error, Postgres, Row as _, Sqlite, TypeInfo as _,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// What a member of a JSON object says, by its path; NULL where there is none or the JSON is damaged.
    pub fn member(self, json: &str, path: &[&str]) -> String {
        match self {
            Self::Sqlite => {
                let path = path.join(".");
                format!("CASE WHEN json_valid({json}) THEN {json} ->> '$.{path}' END")
            }
            Self::Postgres => format!("json_member({json}, '{}')", path.join("', '")),
        }
    }

    /// The texts of a JSON array as rows with the column `value`.
    pub fn elements(self, json: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({json})"),
            Self::Postgres => {
                format!("jsonb_array_elements_text(({json})::jsonb) AS element (value)")
            }
        }
    }

    /// LIKE without regard to upper and lower case.
    pub const fn like(self) -> &'static str {
        match self {
            Self::Sqlite => "LIKE",
            Self::Postgres => "ILIKE",
        }
    }
}

/// What is bound to a placeholder.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Some(bytes.to_vec()))
    }
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// A text whose values come by `with`, or which grows by `push` and `bind`.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// The value of the text's next placeholder.
    #[must_use]
    pub fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a placeholder with its value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        let name = self.next(value);
        self.push(&name)
    }

    /// Takes a value in and says what its placeholder is called.
    pub fn next(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// PostgreSQL holds no text with a NUL, so none of its rows is like one, and it refuses to compare.
    fn asks_for_nul(&self) -> bool {
        let has_nul =
            |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        self.values.iter().any(has_nul)
    }

    fn for_sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        let query = sqlx::query(AssertSqlSafe(self.text));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Int(number) => query.bind(number),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    }

    fn for_postgres(self) -> Query<'static, Postgres, PgArguments> {
        let query = sqlx::query(AssertSqlSafe(self.text));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Int(number) => query.bind(number),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    }
}

/// One row of an answer. Its getters panic on another type than the column's, which is a bug: both back ends check
/// types as they write, and what a damaged file holds in their place comes to nobody.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A flipped bit can make anything of a value; SQLite gives it back as it finds it, with another type or as bytes
/// that are no text.
fn sound(row: SqliteRow) -> Result<Row, Error> {
    for (at, column) in row.columns().iter().enumerate() {
        let checked = match column.type_info().name() {
            "TEXT" => row.try_get::<Option<&str>, _>(at).map(drop),
            "INTEGER" => row.try_get::<Option<i64>, _>(at).map(drop),
            "BLOB" => row.try_get::<Option<&[u8]>, _>(at).map(drop),
            // Something that was computed.
            _ => Ok(()),
        };
        if let Err(error) = checked {
            let source = match error {
                Error::ColumnDecode { source, .. } => source,
                other => other.into(),
            };
            // Most tables have their number first.
            let number = row.try_get::<i64, _>(0).map(|number| format!(" of row {number}"));
            let index = format!("{}{}", column.name(), number.unwrap_or_default());
            return Err(Error::ColumnDecode { index, source });
        }
    }
    Ok(Row::Sqlite(row))
}

/// A column by its number or its name.
pub trait Column: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> {}
impl<C: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>> Column for C {}

macro_rules! getter {
    ($name:ident, $type:ty) => {
        pub fn $name(&self, column: impl Column) -> $type {
            match self {
                // NULL where none may be is damage as well: it is taken for nothing, which no hash and no check of
                // what is written takes for what was there.
                Self::Sqlite(row) => row.get::<Option<_>, _>(column).unwrap_or_default(),
                Self::Postgres(row) => row.get(column),
            }
        }
    };
}

macro_rules! maybe {
    ($name:ident, $type:ty) => {
        pub fn $name(&self, column: impl Column) -> Option<$type> {
            match self {
                Self::Sqlite(row) => row.get(column),
                Self::Postgres(row) => row.get(column),
            }
        }
    };
}

impl Row {
    getter!(int, i64);
    getter!(bytes, Vec<u8>);
    maybe!(maybe_int, i64);
    maybe!(maybe_bytes, Vec<u8>);

    pub fn text(&self, column: impl Column) -> &str {
        match self {
            Self::Sqlite(row) => row.get::<Option<_>, _>(column).unwrap_or_default(),
            Self::Postgres(row) => row.get(column),
        }
    }

    pub fn maybe_text(&self, column: impl Column) -> Option<&str> {
        match self {
            Self::Sqlite(row) => row.get(column),
            Self::Postgres(row) => row.get(column),
        }
    }
}

/// One connection, as the writer has it.
pub enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    pub async fn rows(&mut self, sql: Sql) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(connection) => {
                let rows = sql.for_sqlite().fetch_all(connection).await?;
                rows.into_iter().map(sound).collect::<Result<_, _>>()?
            }
            Self::Postgres(connection) => {
                let rows = sql.for_postgres().fetch_all(connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub async fn row(&mut self, sql: Sql) -> Result<Option<Row>, Error> {
        Ok(match self {
            Self::Sqlite(connection) => {
                sql.for_sqlite().fetch_optional(connection).await?.map(sound).transpose()?
            }
            Self::Postgres(connection) => {
                sql.for_postgres().fetch_optional(connection).await?.map(Row::Postgres)
            }
        })
    }

    /// How many rows it touched.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64, Error> {
        Ok(match self {
            Self::Sqlite(connection) => sql.for_sqlite().execute(connection).await?.rows_affected(),
            Self::Postgres(connection) => {
                sql.for_postgres().execute(connection).await?.rows_affected()
            }
        })
    }

    /// Several statements without values.
    pub async fn script(&mut self, text: &str) -> Result<(), Error> {
        let script = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        match self {
            Self::Sqlite(connection) => script.execute(connection).await.map(drop),
            Self::Postgres(connection) => script.execute(connection).await.map(drop),
        }
    }
}

/// Connections, as readers have them.
#[derive(Clone)]
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub async fn rows(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(pool) => {
                let rows = sql.for_sqlite().fetch_all(pool).await?;
                rows.into_iter().map(sound).collect::<Result<_, _>>()?
            }
            Self::Postgres(_) if sql.asks_for_nul() => Vec::new(),
            Self::Postgres(pool) => {
                sql.for_postgres().fetch_all(pool).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub async fn row(&self, sql: Sql) -> Result<Option<Row>, Error> {
        Ok(match self {
            Self::Sqlite(pool) => {
                sql.for_sqlite().fetch_optional(pool).await?.map(sound).transpose()?
            }
            Self::Postgres(_) if sql.asks_for_nul() => None,
            Self::Postgres(pool) => {
                sql.for_postgres().fetch_optional(pool).await?.map(Row::Postgres)
            }
        })
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
