//! Parquet: a conversation a row, its columns named as the fields of the JSON form.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value, json};

use crate::batch::error::BatchError;
use crate::batch::files;

/// Writes the rows as lines of JSON: a job can begin at a line, and not within a row group.
///
/// # Errors
/// It is no Parquet file, or is damaged.
pub fn spool(path: &Path, lines: &Path) -> Result<(), BatchError> {
    let wrong = |error: parquet::errors::ParquetError| BatchError::Input {
        path: path.to_owned(),
        reason: format!("can't be read as Parquet: {error}"),
    };
    let unwritable = || BatchError::unwritable(lines);
    let file = File::open(path).map_err(BatchError::unreadable(path))?;
    let reader = SerializedFileReader::new(file).map_err(wrong)?;
    let rows = reader.get_row_iter(None).map_err(wrong)?;
    let mut out = BufWriter::new(File::create(files::unfinished(lines)).map_err(unwritable())?);
    for row in rows {
        let value = object(&row.map_err(wrong)?);
        writeln!(out, "{value}").map_err(unwritable())?;
    }
    let file = out.into_inner().map_err(|error| unwritable()(error.into_error()))?;
    files::finish(&file, lines)
}

fn object(row: &Row) -> Value {
    let fields = row.get_column_iter().map(|(name, field)| (name.clone(), value(field)));
    Value::Object(fields.collect::<Map<String, Value>>())
}

fn value(field: &Field) -> Value {
    let time = |time: Result<Timestamp, jiff::Error>| match time {
        Ok(time) => Value::from(time.to_string()),
        Err(_) => Value::Null,
    };
    match field {
        Field::Str(text) => text.as_str().into(),
        // Writers that know no strings write bytes.
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned().into(),
        Field::Bool(it) => (*it).into(),
        Field::Byte(it) => (*it).into(),
        Field::Short(it) => (*it).into(),
        Field::Int(it) => (*it).into(),
        Field::Long(it) => (*it).into(),
        Field::UByte(it) => (*it).into(),
        Field::UShort(it) => (*it).into(),
        Field::UInt(it) => (*it).into(),
        Field::ULong(it) => (*it).into(),
        Field::Float(it) => json!(it),
        Field::Double(it) => json!(it),
        Field::TimestampMillis(ms) => time(Timestamp::from_millisecond(*ms)),
        Field::TimestampMicros(us) => time(Timestamp::from_microsecond(*us)),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        // Nothing of a conversation is written in these.
        Field::Null
        | Field::Float16(_)
        | Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::MapInternal(_) => Value::Null,
    }
}
