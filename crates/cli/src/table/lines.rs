//! Tables that are text.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;
use trireme_domain::{Code, Fault};

use super::cells::{Commas, between_tabs};
use super::records::{MOST, Records};
use super::{Column, Format, Found, Kind, Row, Unread, distinct, open, unreadable};
use crate::input::invalid;

/// How much of a row that is too long is shown.
const SHOWN: usize = 64 << 10;

/// Objects whose keys are looked at for the columns of a table.
const LOOKED_AT: usize = 100;

/// The rows of a text, under its header where its format has one.
pub struct Lines {
    path: PathBuf,
    records: Records<BufReader<File>>,
    parts: Parts,
}

/// How a row is taken apart.
enum Parts {
    Object,
    Cells { header: Vec<String>, by: By },
}

enum By {
    Commas(Box<Commas>),
    Tabs,
}

impl By {
    fn cells(&mut self, row: &str) -> Vec<String> {
        match self {
            Self::Commas(commas) => commas.cells(row),
            Self::Tabs => between_tabs(row),
        }
    }
}

impl Lines {
    pub fn open(path: &Path, format: Format, behind: u64) -> Result<Self, Fault> {
        let mut records = Records::new(BufReader::new(open(path)?), format);
        let mut by = match format {
            Format::Csv => By::Commas(Box::new(Commas::new())),
            _ => By::Tabs,
        };
        let parts = match format {
            Format::Jsonl => Parts::Object,
            _ => Parts::Cells { header: header(path, &mut records, &mut by)?, by },
        };
        for _row in 0..behind {
            records.advance().map_err(|e| unreadable(path, &e))?;
        }
        Ok(Self { path: path.to_owned(), records, parts })
    }

    fn row(&mut self) -> Result<Row, Fault> {
        let (row, length) = (self.records.row(), self.records.length());
        if self.records.is_too_long() {
            let message =
                format!("the row has {length} bytes, more than {MOST}; a quote may not be closed");
            return Err(Fault::new(Code::TextTooLong, message));
        }
        let row = std::str::from_utf8(row).map_err(|e| {
            let message = format!("the row is not UTF-8 from its byte {} on", e.valid_up_to());
            Fault::new(Code::InvalidUtf8, message)
        })?;
        let data = |message| Err(Fault::new(Code::InvalidData, message));
        match &mut self.parts {
            Parts::Object => serde_json::from_str(row)
                .or_else(|e| data(format!("the row is not an object of JSON: {e}"))),
            Parts::Cells { header, by } => {
                let cells = by.cells(row);
                if cells.len() != header.len() {
                    let (found, expected) = (cells.len(), header.len());
                    return data(format!("found {found} columns, expected {expected} as above"));
                }
                Ok(header.iter().cloned().zip(cells.into_iter().map(Value::String)).collect())
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Found, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.records.advance() {
            Err(e) => return Some(Err(unreadable(&self.path, &e))),
            Ok(false) => return None,
            Ok(true) => {}
        }
        let row = self.row().map_err(|fault| {
            let most = if self.records.is_too_long() { SHOWN } else { MOST };
            let raw = self.records.row().iter().take(most).copied().collect();
            Unread { fault, raw }
        });
        Some(Ok(Found { row, bytes: self.records.length() }))
    }
}

/// The first row, which names the columns.
fn header<R: BufRead>(
    path: &Path,
    records: &mut Records<R>,
    by: &mut By,
) -> Result<Vec<String>, Fault> {
    if !records.advance().map_err(|e| unreadable(path, &e))? {
        return Err(invalid(path, "the file has no header"));
    }
    let row = std::str::from_utf8(records.row()).map_err(|_| {
        let message = format!("the header of {} is not UTF-8", path.display());
        Fault::new(Code::InvalidUtf8, message)
    })?;
    Ok(by.cells(row))
}

/// How many rows a text has, beside its header.
pub fn count(path: &Path, format: Format, reader: impl BufRead) -> Result<u64, Fault> {
    let mut records = Records::new(reader, format);
    let mut rows = 0;
    while records.advance().map_err(|e| unreadable(path, &e))? {
        rows += 1;
    }
    Ok(if format == Format::Jsonl { rows } else { u64::saturating_sub(rows, 1) })
}

/// The columns that a header names, or the first objects do together.
pub fn columns(path: &Path, format: Format) -> Result<Vec<Column>, Fault> {
    let mut lines = Lines::open(path, format, 0)?;
    let names = match &lines.parts {
        Parts::Cells { header, .. } => header.clone(),
        Parts::Object => {
            let mut names: Vec<String> = Vec::new();
            for found in lines.by_ref().take(LOOKED_AT) {
                let row = found?.row.unwrap_or_default();
                let new =
                    row.into_iter().map(|(name, _)| name).filter(|name| !names.contains(name));
                names.append(&mut new.collect());
            }
            names
        }
    };
    let columns = names.into_iter().map(|name| Column { name, kind: Kind::Text }).collect();
    distinct(path, columns)
}

/// The bytes that a file of ours begins with before its first row.
pub fn header_length(path: &Path, format: Format) -> Result<usize, Fault> {
    if format == Format::Jsonl {
        return Ok(0);
    }
    let mut records = Records::new(BufReader::new(open(path)?), format);
    records.advance().map_err(|e| unreadable(path, &e))?;
    Ok(records.length())
}
