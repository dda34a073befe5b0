//! Tables that are no text.

use std::collections::VecDeque;
use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bytes::Bytes;
use parquet::basic::{ConvertedType, Type as Physical};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::{ReaderIter, TreeBuilder};
use parquet::schema::types::Type;
use serde_json::Value;
use trireme_domain::{Code, Fault};

use super::{Column, Found, Kind, Row, Unread, distinct, open};
use crate::input::invalid;

/// What a Parquet file begins with.
const PARQUET: &[u8] = b"PAR1";

/// Rows that are read at once.
const AHEAD: usize = 256;

static QUIET: Mutex<()> = Mutex::new(());

/// A table as text: as it is, where it is text.
pub fn as_text(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if !bytes.starts_with(PARQUET) {
        return Ok(bytes);
    }
    guarded(|| {
        let mut text = Vec::new();
        for row in SerializedFileReader::new(Bytes::from(bytes))?.get_row_iter(None)? {
            text.extend_from_slice(Value::Object(object(row?)?).to_string().as_bytes());
            text.push(b'\n');
        }
        Ok(text)
    })
}

/// The library asserts what a damaged file breaks. The hook is the whole program's, so one at a
/// time puts another in its place.
fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    let _one = QUIET.lock();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = panic::catch_unwind(AssertUnwindSafe(read));
    panic::set_hook(hook);
    done.unwrap_or_else(|_| Err(ParquetError::General("the file is damaged".to_owned())))
}

/// A row as JSON. Older writers do not say that a column of bytes is text.
fn object(row: parquet::record::Row) -> Result<Row> {
    let cell = |(name, field): (String, Field)| {
        let value = match field {
            Field::Str(text) => Value::String(text),
            Field::Bytes(bytes) => {
                let text = bytes.as_utf8().map_err(|_| {
                    ParquetError::General(format!("the column {name} holds bytes that are no text"))
                })?;
                Value::String(text.to_owned())
            }
            field => field.to_json_value(),
        };
        Ok((name, value))
    };
    row.into_columns().into_iter().map(cell).collect()
}

fn reader(path: &Path) -> std::result::Result<SerializedFileReader<File>, Fault> {
    let file = open(path)?;
    guarded(|| SerializedFileReader::new(file)).map_err(|e| invalid(path, e))
}

/// How many rows a file has.
pub fn count(path: &Path) -> std::result::Result<u64, Fault> {
    let rows = reader(path)?.metadata().file_metadata().num_rows();
    u64::try_from(rows).map_err(|_| invalid(path, "the file is damaged"))
}

/// The columns that a file's schema names.
pub fn columns(path: &Path) -> std::result::Result<Vec<Column>, Fault> {
    let reader = reader(path)?;
    let fields = reader.metadata().file_metadata().schema().get_fields().iter();
    let column =
        |field: &std::sync::Arc<Type>| Column { name: field.name().to_owned(), kind: kind(field) };
    distinct(path, fields.map(column).collect())
}

/// What the cells of a column are once they are JSON.
fn kind(field: &Type) -> Kind {
    let info = field.get_basic_info();
    let repeated =
        info.has_repetition() && info.repetition() == parquet::basic::Repetition::REPEATED;
    if !field.is_primitive() || repeated {
        return Kind::Text;
    }
    let plain = matches!(
        info.converted_type(),
        ConvertedType::NONE
            | ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::INT_64
            | ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
    );
    match field.get_physical_type() {
        Physical::BOOLEAN => Kind::Truth,
        Physical::INT32 | Physical::INT64 if plain => Kind::Whole,
        Physical::FLOAT | Physical::DOUBLE => Kind::Real,
        _ => Kind::Text,
    }
}

/// The rows of a file, group by group and page by page.
pub struct Rows {
    path: PathBuf,
    file: SerializedFileReader<File>,
    /// The next group.
    group: usize,
    rows: Option<ReaderIter>,
    ahead: VecDeque<Found>,
    /// Why there are no more rows behind those, where that is no good reason.
    fault: Option<Fault>,
    ended: bool,
}

impl Rows {
    /// Those behind the first ones; groups that hold no other are not read.
    pub fn open(path: &Path, mut behind: u64) -> std::result::Result<Self, Fault> {
        let file = reader(path)?;
        let mut group = 0;
        while let Some(rows) = file.metadata().row_groups().get(group).map(|g| g.num_rows() as u64)
            && rows <= behind
        {
            behind -= rows;
            group += 1;
        }
        let mut rows = Self {
            path: path.to_owned(),
            file,
            group,
            rows: None,
            ahead: VecDeque::new(),
            fault: None,
            ended: false,
        };
        for _row in 0..behind {
            rows.next().transpose()?;
        }
        Ok(rows)
    }

    fn read_ahead(&mut self) -> Result<()> {
        while self.ahead.len() < AHEAD {
            let rows = match &mut self.rows {
                Some(rows) => rows,
                None if self.group < self.file.num_row_groups() => {
                    let group = self.file.get_row_group(self.group)?;
                    self.group += 1;
                    let schema = self.file.metadata().file_metadata().schema_descr_ptr();
                    self.rows.insert(TreeBuilder::new().as_iter(schema, group.as_ref())?)
                }
                None => return Ok(()),
            };
            match rows.next() {
                Some(row) => self.ahead.push_back(found(row?)),
                None => self.rows = None,
            }
        }
        Ok(())
    }
}

fn found(row: parquet::record::Row) -> Found {
    let row = object(row).map_err(|e| {
        let message = match e {
            ParquetError::General(message) => message,
            other => other.to_string(),
        };
        Unread { fault: Fault::new(Code::InvalidUtf8, message), raw: Vec::new() }
    });
    let bytes = row.as_ref().map_or(0, |row| row.values().map(size).sum());
    Found { row, bytes }
}

/// About how many bytes a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(values) => values.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => size_of::<Value>(),
    }
}

impl Iterator for Rows {
    type Item = std::result::Result<Found, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ahead.is_empty()
            && !self.ended
            && let Err(error) = guarded(|| self.read_ahead())
        {
            self.ended = true;
            self.fault = Some(invalid(&self.path, error));
        }
        let found = self.ahead.pop_front().map(Ok);
        found.or_else(|| self.fault.take().map(Err))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use trireme_domain::dataset::{read_labelled, read_pairs};
    use trireme_tests::repo_root;

    use super::as_text;

    fn golden(name: &str) -> Vec<u8> {
        fs::read(repo_root().join("tests/goldens/tables").join(name)).unwrap()
    }

    #[test]
    fn parquet_holds_what_the_same_table_says_in_text() {
        let labels = ["bad", "good"].map(str::to_owned);
        let expected = read_labelled(&golden("labelled.csv"), &labels).unwrap();
        for name in ["none", "snappy", "gzip", "brotli", "zstd", "lz4", "polars", "named", "bytes"]
        {
            let text = as_text(golden(&format!("labelled-{name}.parquet"))).unwrap();
            assert_eq!(read_labelled(&text, &labels).unwrap(), expected, "{name}");
        }
        let expected = read_pairs(&golden("pairs.csv")).unwrap();
        let text = as_text(golden("pairs.parquet")).unwrap();
        assert_eq!(read_pairs(&text).unwrap(), expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_their_column() {
        let refused = as_text(golden("binary.parquet")).unwrap_err().to_string();
        assert!(refused.contains("the column text holds bytes that are no text"), "{refused}");
    }

    #[test]
    fn text_stays_as_it_is() {
        for text in ["label,text\n1,fine\n", "", "PAR"] {
            assert_eq!(as_text(text.into()).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_read_and_never_more() {
        for name in ["labelled-snappy.parquet", "labelled-polars.parquet", "pairs.parquet"] {
            let whole = golden(name);
            for end in 4..whole.len() {
                assert!(as_text(whole[..end].to_vec()).is_err(), "{name}: {end} bytes of it");
            }
            for at in 4..whole.len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut damaged = whole.clone();
                    damaged[at] ^= flip;
                    // A letter of a text may be another one now; nothing else may happen.
                    drop(as_text(damaged));
                }
            }
        }
    }
}
