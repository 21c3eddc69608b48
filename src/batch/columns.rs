//! The output as Parquet: what people filter by as columns, all else as JSON.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use super::error::BatchError;
use super::files;

const SCHEMA: &str = "message conversation {
    required binary id (STRING);
    optional binary summary (STRING);
    optional binary language (STRING);
    optional binary disposition (STRING);
    required binary wrapups (JSON);
}";
/// So many rows are in memory until they are written, and so many bytes of them.
const ROWS_PER_GROUP: usize = 4_096;
const BYTES_PER_GROUP: usize = 32 << 20;

pub struct Columns {
    writer: SerializedFileWriter<File>,
    rows: [Vec<Option<ByteArray>>; 5],
    /// What the rows hold.
    bytes: usize,
    path: PathBuf,
}

impl Columns {
    /// # Errors
    /// The file can't be written.
    pub fn create(path: &Path) -> Result<Self, BatchError> {
        let file = File::create(files::unfinished(path)).map_err(BatchError::unwritable(path))?;
        let schema = parse_message_type(SCHEMA).map_err(|error| bug(&error))?;
        let properties = WriterProperties::builder()
            .set_created_by(concat!("backchannel ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
            .map_err(|error| bug(&error))?;
        Ok(Self { writer, rows: Default::default(), bytes: 0, path: path.to_owned() })
    }

    /// Takes a line of the output's JSON form.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn put(&mut self, line: &str) -> Result<(), BatchError> {
        let mut row: Value =
            serde_json::from_str(line).map_err(|error| BatchError::Bug(error.to_string()))?;
        let wrap_ups = row["wrapups"].take();
        let all = wrap_ups.as_array().map(Vec::as_slice).unwrap_or_default();
        let language = all.first().and_then(|one| one["data"]["language"].as_str());
        let disposition = all
            .iter()
            .filter(|one| one["kind"] == "wrapup.disposition")
            .find_map(|one| one["data"]["choices"][0]["code"].as_str());
        let cells = [
            Some(row["id"].as_str().unwrap_or_default().to_owned()),
            row["summary"].as_str().map(str::to_owned),
            language.map(str::to_owned),
            disposition.map(str::to_owned),
            Some(wrap_ups.to_string()),
        ];
        for (column, cell) in self.rows.iter_mut().zip(cells) {
            self.bytes += cell.as_ref().map_or(0, String::len);
            column.push(cell.map(|text| ByteArray::from(text.into_bytes())));
        }
        let is_full = self.rows[0].len() >= ROWS_PER_GROUP || self.bytes >= BYTES_PER_GROUP;
        if is_full { self.group() } else { Ok(()) }
    }

    fn group(&mut self) -> Result<(), BatchError> {
        let path = self.path.clone();
        self.bytes = 0;
        self.write_group().map_err(|error| unwritable(&path, error))
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        let mut at = 0;
        while let Some(mut column) = group.next_column()? {
            let cells = std::mem::take(&mut self.rows[at]);
            at += 1;
            let is_required = at == 1 || at == self.rows.len();
            let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
            let values: Vec<ByteArray> = cells.into_iter().flatten().collect();
            let levels = (!is_required).then_some(levels.as_slice());
            column.typed::<ByteArrayType>().write_batch(&values, levels, None)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// # Errors
    /// The file can't be written.
    pub fn finish(mut self) -> Result<(), BatchError> {
        if !self.rows[0].is_empty() {
            self.group()?;
        }
        let path = self.path;
        let file = self.writer.into_inner().map_err(|error| unwritable(&path, error))?;
        files::finish(&file, &path)
    }
}

fn bug(error: &ParquetError) -> BatchError {
    BatchError::Bug(error.to_string())
}

fn unwritable(path: &Path, error: ParquetError) -> BatchError {
    BatchError::unwritable(path)(std::io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::*;

    #[test]
    fn long_rows_are_not_gathered_until_there_are_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.parquet");
        let mut columns = Columns::create(&path).expect("a file");
        let line = format!(r#"{{"id":"a","summary":"{}","wrapups":[]}}"#, "x".repeat(6 << 20));
        for _ in 0..12 {
            columns.put(&line).expect("written");
            assert!(columns.bytes < BYTES_PER_GROUP);
        }
        columns.finish().expect("finished");
        let reader = SerializedFileReader::new(File::open(&path).expect("the file"));
        let reader = reader.expect("Parquet");
        assert_eq!(reader.metadata().file_metadata().num_rows(), 12);
        assert_eq!(reader.num_row_groups(), 2);
    }
}
