//! Parquet: a conversation a row, its columns named as the fields of the JSON form.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::{Map, Value, json};

use super::Body;
use super::json::is_known_field;
use super::lines::{LINE_BYTES_MAX, Line};
use crate::batch::error::BatchError;
use crate::batch::plan::{BYTES_PER_JOB, CONVERSATIONS_PER_JOB};

/// So many places in files are kept open: jobs come nearly in order, and going back means decoding a
/// row group from its beginning.
const CURSORS: usize = 4;

/// A page comes into memory whole. Most writers make them of a megabyte, some of a thousand rows.
const PAGE_BYTES_MAX: usize = 256 << 20;

/// A file of which nothing larger than a page is read at once.
struct Pages(File);

impl Length for Pages {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Pages {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if length > PAGE_BYTES_MAX {
            return Err(ParquetError::General(format!(
                "it has a page of {length} bytes; {PAGE_BYTES_MAX} are the most"
            )));
        }
        self.0.get_bytes(start, length)
    }
}

/// So many rows are decoded ahead: as many as a job has, and fewer of long ones.
fn rows_ahead(groups: &[RowGroupMetaData]) -> usize {
    let longest = groups.iter().map(|group| {
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
        bytes / u64::try_from(group.num_rows()).unwrap_or(0).max(1)
    });
    let row_bytes = longest.max().unwrap_or(0).max(1);
    (BYTES_PER_JOB / row_bytes).clamp(1, u64::from(CONVERSATIONS_PER_JOB)) as usize
}

/// How much a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub rows: u64,
    /// Before compression.
    pub bytes: u64,
}

/// # Errors
/// It is no Parquet file, or has no column of a conversation.
pub fn extent(path: &Path) -> Result<Extent, BatchError> {
    let wrong = |reason: String| BatchError::Input { path: path.to_owned(), reason };
    let file = File::open(path).map_err(BatchError::unreadable(path))?;
    let reader = guarded(|| SerializedFileReader::new(Pages(file)))
        .map_err(|why| wrong(format!("can't be read as Parquet: {why}")))?;
    if projection(&reader).is_none() {
        return Err(wrong("has none of the columns of a conversation: turns, or text".to_owned()));
    }
    let groups = reader.metadata().row_groups();
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Extent {
        rows: groups.iter().map(|group| count(group.num_rows())).sum(),
        bytes: groups.iter().map(|group| count(group.total_byte_size())).sum(),
    })
}

/// What a conversation is made of; other columns are not even decoded.
fn projection(reader: &dyn FileReader) -> Option<Type> {
    let schema = reader.metadata().file_metadata().schema();
    let known = schema.get_fields().iter().filter(|field| is_known_field(field.name()));
    let known: Vec<_> = known.map(Arc::clone).collect();
    if known.is_empty() {
        return None;
    }
    Type::group_type_builder(schema.name()).with_fields(known).build().ok()
}

/// A decoder that meets mad numbers may panic.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its numbers contradict each other".to_owned()),
    }
}

/// Where in which files was read last.
#[derive(Default)]
pub struct Cursors(Mutex<Vec<Cursor>>);

struct Cursor {
    path: PathBuf,
    next: u64,
    rows: RowIter<'static>,
}

impl Cursors {
    /// Rows from one on, as lines of JSON. They are in memory only: nothing of them is masked yet.
    pub fn rows(&self, path: &Path, from: u64, count: u32) -> Vec<Body> {
        let mut cursors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_before = |cursor: &&Cursor| cursor.path == path && cursor.next <= from;
        let nearest =
            cursors.iter().filter(is_before).map(|cursor| cursor.next).max().and_then(|next| {
                cursors.iter().position(|cursor| cursor.path == path && cursor.next == next)
            });
        let kept = nearest.map(|at| cursors.remove(at));
        let mut rows = Vec::with_capacity(count as usize);
        let read = guarded(|| {
            let mut cursor = match kept {
                Some(cursor) => cursor,
                None => Cursor::open(path, from)?,
            };
            while cursor.next < from {
                cursor.row()?;
            }
            for _ in 0..count {
                rows.push(Body::Line(line(&cursor.row()?)));
            }
            Ok(cursor)
        });
        match read {
            Ok(cursor) => {
                cursors.push(cursor);
                if cursors.len() > CURSORS {
                    cursors.remove(0);
                }
            }
            Err(why) => {
                let reason = format!("can't be read as Parquet: {why}");
                rows.resize_with(count as usize, || Body::Unreadable(reason.clone()));
            }
        }
        rows
    }
}

impl Cursor {
    /// At the beginning of the row group that holds the row.
    fn open(path: &Path, row: u64) -> Result<Self, ParquetError> {
        let file = File::open(path)?;
        let whole = SerializedFileReader::new(Pages(file.try_clone()?))?;
        let (mut group, mut next) = (0, 0);
        for about in whole.metadata().row_groups() {
            let rows = u64::try_from(about.num_rows()).unwrap_or(0);
            if next + rows > row {
                break;
            }
            next += rows;
            group += 1;
        }
        let ahead = rows_ahead(whole.metadata().row_groups());
        let projection = projection(&whole);
        let from_there = ReadOptionsBuilder::new()
            .with_predicate(Box::new(move |_, number| number >= group))
            .build();
        let reader = SerializedFileReader::new_with_options(Pages(file), from_there)?;
        let rows = RowIter::from_file_into(Box::new(reader)).project(projection)?;
        let rows = rows.with_batch_size(ahead);
        Ok(Self { path: path.to_owned(), next, rows })
    }

    fn row(&mut self) -> Result<Row, ParquetError> {
        let ended = || ParquetError::EOF("there are fewer rows than it says".to_owned());
        let row = self.rows.next().ok_or_else(ended)??;
        self.next += 1;
        Ok(row)
    }
}

fn line(row: &Row) -> Line {
    let text = object(row).to_string();
    match text.len() {
        bytes if bytes > LINE_BYTES_MAX => Line::TooLong { bytes: bytes as u64 },
        _ => Line::Whole(text.into_bytes()),
    }
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

#[cfg(test)]
mod tests {
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::writer::SerializedFileWriter;

    use super::*;

    const SCHEMA: &str = "message m { required binary id (STRING); required binary secret (STRING);
        required binary text (STRING); }";

    /// Groups of ten rows.
    fn write(path: &Path, rows: usize) {
        let schema = parquet::schema::parser::parse_message_type(SCHEMA).expect("a schema");
        let file = File::create(path).expect("a file");
        let mut writer =
            SerializedFileWriter::new(file, schema.into(), Default::default()).expect("a writer");
        for numbers in (0..rows).collect::<Vec<_>>().chunks(10) {
            let mut group = writer.next_row_group().expect("a group");
            for name in ["id", "secret", "text"] {
                let values: Vec<ByteArray> = numbers
                    .iter()
                    .map(|number| ByteArray::from(format!("{name} {number}").as_str()))
                    .collect();
                let mut column = group.next_column().expect("a column").expect("one more");
                column.typed::<ByteArrayType>().write_batch(&values, None, None).expect("written");
                column.close().expect("closed");
            }
            group.close().expect("closed");
        }
        writer.close().expect("closed");
    }

    fn read(cursors: &Cursors, path: &Path, from: u64, count: u32) -> Vec<String> {
        let text = |body: Body| match body {
            Body::Line(Line::Whole(bytes)) => String::from_utf8(bytes).expect("UTF-8"),
            Body::Unreadable(why) => why,
            _ => panic!("no line"),
        };
        cursors.rows(path, from, count).into_iter().map(text).collect()
    }

    #[test]
    fn rows_are_read_from_anywhere_and_only_what_is_known_of_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.parquet");
        write(&path, 25);
        assert_eq!(extent(&path).expect("Parquet").rows, 25);
        let cursors = Cursors::default();
        for from in [0, 7, 21, 3, 14, 9, 0, 24] {
            let count = 4.min(25 - from as u32);
            let expected: Vec<String> = (from..from + u64::from(count))
                .map(|number| format!(r#"{{"id":"id {number}","text":"text {number}"}}"#))
                .collect();
            assert_eq!(read(&cursors, &path, from, count), expected, "from {from}");
        }
        let beyond = read(&cursors, &path, 23, 4);
        assert_eq!(beyond.len(), 4);
        assert!(beyond[0].contains("id 23") && beyond[3].contains("fewer rows"), "{beyond:?}");
    }

    /// What this thread has read until now.
    fn bytes_read() -> u64 {
        let io = std::fs::read_to_string("/proc/thread-self/io").expect("Linux counts it");
        let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("a line");
        read.parse().expect("a number")
    }

    #[test]
    fn long_rows_are_decoded_a_few_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.parquet");
        let schema = "message m { required binary text (STRING); }";
        let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
        let file = File::create(&path).expect("a file");
        // A row a page, and all in one group.
        let properties = parquet::file::properties::WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_data_page_row_count_limit(1)
            .set_write_batch_size(1)
            .build();
        let mut writer =
            SerializedFileWriter::new(file, schema.into(), properties.into()).expect("a writer");
        let mut group = writer.next_row_group().expect("a group");
        let mut column = group.next_column().expect("a column").expect("one");
        let row = ByteArray::from("x".repeat(1 << 20).into_bytes());
        let values = vec![row; 40];
        column.typed::<ByteArrayType>().write_batch(&values, None, None).expect("written");
        column.close().expect("closed");
        group.close().expect("closed");
        writer.close().expect("closed");
        let before = bytes_read();
        assert_eq!(read(&Cursors::default(), &path, 0, 1)[0].len(), (1 << 20) + 11);
        let mib = (bytes_read() - before) >> 20;
        assert!(mib <= 12, "{mib} of 40 MiB for one row of 1");
    }

    #[test]
    fn a_page_that_would_fill_the_memory_is_refused() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(1_000 << 20).expect("a large one");
        let pages = Pages(file);
        assert_eq!(pages.get_bytes(0, 1 << 20).expect("a page").len(), 1 << 20);
        let error = pages.get_bytes(0, PAGE_BYTES_MAX + 1).expect_err("too large");
        assert!(error.to_string().contains("it has a page of"), "{error}");
    }

    #[test]
    fn a_damaged_row_group_costs_its_rows_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.parquet");
        write(&path, 30);
        let mut bytes = std::fs::read(&path).expect("the file");
        let at = bytes.windows(7).position(|window| window == b"text 15").expect("a text");
        // The page's own header comes some bytes before its values.
        bytes[at - 80..at].fill(0xff);
        std::fs::write(&path, bytes).expect("written");
        let cursors = Cursors::default();
        assert!(read(&cursors, &path, 10, 5)[0].contains("can't be read as Parquet"));
        assert!(read(&cursors, &path, 20, 5)[0].contains("id 20"));
    }

    #[test]
    fn a_file_without_conversations_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.parquet");
        let schema = "message m { required binary secret (STRING); }";
        let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
        let file = File::create(&path).expect("a file");
        let writer = SerializedFileWriter::new(file, schema.into(), Default::default());
        writer.expect("a writer").close().expect("closed");
        let error = extent(&path).expect_err("it holds none");
        assert!(error.to_string().contains("none of the columns"), "{error}");
    }
}
