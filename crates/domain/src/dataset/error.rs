//! What can be wrong with a file of data.

/// Why a file of data can't be read. Lines and columns are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file is empty, or has only a header.
    #[error("the file has no rows of data")]
    Empty,
    /// The file is not UTF-8.
    #[error("line {line} is not UTF-8 at byte {offset} of the file; save the file as UTF-8")]
    NotUtf8 {
        /// The line.
        line: usize,
        /// Bytes of the file before the first one that is wrong.
        offset: usize,
    },
    /// A row ends before a column that is needed.
    #[error(
        "line {line}, column {column} ({name}): found the end of the line, \
         expected at least {column} columns with tabs or commas between them"
    )]
    MissingColumn {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What the column holds.
        name: &'static str,
    },
    /// An object has no such key.
    #[error("line {line}: the object has no {name}")]
    MissingKey {
        /// The line.
        line: usize,
        /// What the key holds.
        name: &'static str,
    },
    /// A line is not an object of JSON, as the first one is.
    #[error("line {line} is not an object of JSON: {reason}")]
    Json {
        /// The line.
        line: usize,
        /// The parser's words.
        reason: String,
    },
    /// A row has more or fewer columns than the first one.
    #[error(
        "line {line}: found {found} columns, expected {expected} as in the first line; a text \
         can't hold tabs, and one that holds commas stands in quotes"
    )]
    Uneven {
        /// The line.
        line: usize,
        /// Columns of this row.
        found: usize,
        /// Columns of the first row.
        expected: usize,
    },
    /// A value is not one that its column can hold.
    #[error("line {line}, column {column} ({name}): found {found:?}, expected {expected}")]
    Value {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What the column holds.
        name: &'static str,
        /// What is there; of a long value, the beginning.
        found: String,
        /// What could be there.
        expected: String,
    },
}
