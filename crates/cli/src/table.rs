//! Tables that are no text: Parquet becomes an object of JSON a line.

use std::panic;
use std::sync::Mutex;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value};

/// What a Parquet file begins with.
const PARQUET: &[u8] = b"PAR1";

static QUIET: Mutex<()> = Mutex::new(());

/// A table as text: as it is, where it is text.
pub fn as_text(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if !bytes.starts_with(PARQUET) {
        return Ok(bytes);
    }
    // The library asserts what a damaged file breaks. The hook is the whole program's, so one at a
    // time puts another in its place.
    let _one = QUIET.lock();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let text = panic::catch_unwind(|| rows(bytes));
    panic::set_hook(hook);
    text.unwrap_or_else(|_| Err(ParquetError::General("the file is damaged".to_owned())))
}

fn rows(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for row in SerializedFileReader::new(Bytes::from(bytes))?.get_row_iter(None)? {
        text.extend_from_slice(object(&row?)?.to_string().as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}

/// A row as JSON. Older writers do not say that a column of bytes is text.
fn object(row: &Row) -> Result<Value> {
    let mut object = Map::new();
    for (name, field) in row.get_column_iter() {
        let value = match field {
            Field::Bytes(bytes) => {
                let text = bytes.as_utf8().map_err(|_| {
                    ParquetError::General(format!("the column {name} holds bytes that are no text"))
                })?;
                Value::String(text.to_owned())
            }
            field => field.to_json_value(),
        };
        object.insert(name.clone(), value);
    }
    Ok(Value::Object(object))
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
