//! Tables, row by row: an object of JSON a line, cells between commas or tabs, and Parquet. However
//! large a file is, only a few rows of it are in memory.
//!
//! A row that can't be read is found like any other, with what is wrong with it. A file that can't
//! be read any further is a fault.

mod cells;
mod lines;
mod parquet;
mod records;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use trireme_domain::batch::{Input, Made};
use trireme_domain::{Code, Fault};

pub use cells::text;
pub use lines::header_length;
pub use parquet::as_text;

use crate::input::invalid;

/// The most columns that a fault lists.
const LISTED: usize = 20;

/// How a file holds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An object of JSON a line.
    Jsonl,
    /// Cells between commas, under a header; one in quotes may hold commas and lines.
    Csv,
    /// Cells between tabs, under a header; quotes mean nothing.
    Tsv,
    /// Parquet.
    Parquet,
}

/// A row: its cells by their columns.
pub type Row = Map<String, Value>;

/// A row, or why it could not be read.
pub struct Found {
    pub row: Result<Row, Unread>,
    /// How large it is, about.
    pub bytes: usize,
}

/// A row that could not be read.
pub struct Unread {
    pub fault: Fault,
    /// The row, or its beginning, as it stands in the file; nothing of a file that is no text.
    pub raw: Vec<u8>,
}

/// A column, and what its cells are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Truth,
    /// Whole numbers.
    Whole,
    /// Numbers with a point.
    Real,
    /// Text, or what is said by a text.
    Text,
}

/// Rows in their order.
pub type Rows = Box<dyn Iterator<Item = Result<Found, Fault>>>;

impl Format {
    /// By the end of a file's name.
    pub fn of(path: &Path) -> Result<Self, Fault> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            "parquet" => Ok(Self::Parquet),
            _ => {
                let message = format!(
                    "{} is no table by its name; they end in .jsonl, .csv, .tsv or .parquet",
                    path.display()
                );
                Err(Fault::new(Code::InvalidRequest, message))
            }
        }
    }

    /// The end of such a file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Parquet => "parquet",
        }
    }
}

/// What is in a file: read once from its beginning to its end.
pub fn survey(path: &Path, format: Format) -> Result<Input, Fault> {
    let mut hashed = Hashed::new(open(path)?);
    let rows = match format {
        Format::Parquet => parquet::count(path)?,
        _ => lines::count(path, format, BufReader::new(&mut hashed))?,
    };
    io::copy(&mut hashed, &mut io::sink()).map_err(|e| unreadable(path, &e))?;
    Ok(Input { content: hashed.made(), rows })
}

/// The columns of a file: its header's, its schema's, or those of its first objects.
pub fn columns(path: &Path, format: Format) -> Result<Vec<Column>, Fault> {
    match format {
        Format::Parquet => parquet::columns(path),
        _ => lines::columns(path, format),
    }
}

/// The rows of a file behind the first ones.
pub fn rows(path: &Path, format: Format, behind: u64) -> Result<Rows, Fault> {
    Ok(match format {
        Format::Parquet => Box::new(parquet::Rows::open(path, behind)?),
        _ => Box::new(lines::Lines::open(path, format, behind)?),
    })
}

/// The column that one of these titles means, in upper or lower case.
pub fn column<'a>(columns: &'a [Column], titles: &[&str]) -> Result<&'a Column, Fault> {
    let is = |column: &&Column| {
        titles.iter().any(|title| title.eq_ignore_ascii_case(column.name.trim()))
    };
    columns.iter().find(is).ok_or_else(|| {
        let known: Vec<&str> =
            columns.iter().map(|column| column.name.as_str()).take(LISTED).collect();
        let message =
            format!("the input has no column {}; it has: {}", titles.join(", "), known.join(", "));
        Fault::new(Code::InvalidRequest, message)
    })
}

fn open(path: &Path) -> Result<File, Fault> {
    File::open(path).map_err(|e| unreadable(path, &e))
}

/// That the system would not let a file be read.
pub fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Code::Unreadable, format!("could not read {}: {error}", path.display()))
}

/// Two columns of one name would be one.
fn distinct(path: &Path, columns: Vec<Column>) -> Result<Vec<Column>, Fault> {
    let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(invalid(path, format!("two columns are called {:?}", pair[0]))),
        None => Ok(columns),
    }
}

/// Bytes that are counted and hashed while they pass.
pub struct Hashed<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Hashed<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// What passed so far.
    pub fn made(self) -> Made {
        Made { bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.pass(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<W: io::Write> io::Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.pass(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
