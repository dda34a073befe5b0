//! Rows and columns of a file, however it parts them.

use std::borrow::Cow;
use std::iter::Peekable;
use std::vec::IntoIter;

use serde_json::{Map, Value};

use super::DatasetError;

/// A column: what it holds, what a header may call that, and where it is, counted from 0.
#[derive(Clone)]
pub(super) struct Column {
    pub name: &'static str,
    pub titles: Vec<String>,
    pub place: usize,
}

/// One row, and the line that it begins on, from 1.
pub(super) struct Row<'a> {
    pub line: usize,
    cells: Cells<'a>,
}

enum Cells<'a> {
    /// By their places.
    Placed(Vec<Cow<'a, str>>),
    /// By their names.
    Named(Map<String, Value>),
}

/// The rows of a file. Its first line says how it parts them: an object of JSON, tabs, or commas.
pub(super) fn rows(bytes: &[u8]) -> Result<Peekable<IntoIter<Row<'_>>>, DatasetError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let line = 1 + bytes.iter().take(offset).filter(|&&byte| byte == b'\n').count();
        DatasetError::NotUtf8 { line, offset }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let rows = if first.trim_start().starts_with('{') {
        objects(text)?
    } else if first.contains(',') && !first.contains('\t') {
        between_commas(text)
    } else {
        between_tabs(text)
    };
    Ok(rows.into_iter().peekable())
}

/// Quotes mean nothing: they belong to the text.
fn between_tabs(text: &str) -> Vec<Row<'_>> {
    let lines = text.lines().zip(1..).filter(|(text, _)| !text.is_empty());
    let cells = lines.map(|(text, line)| (line, text.split('\t').map(Cow::Borrowed).collect()));
    cells.map(|(line, cells)| Row { line, cells: Cells::Placed(cells) }).collect()
}

/// A cell in quotes may hold commas, lines, and quotes that are doubled.
fn between_commas(text: &str) -> Vec<Row<'static>> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).from_reader(text.as_bytes());
    // Rows of any length are taken, and the text is UTF-8: nothing is left to refuse.
    let records = reader.into_records().filter_map(Result::ok);
    let row = |record: csv::StringRecord| {
        let cells = record.iter().map(|cell| Cow::Owned(cell.to_owned())).collect();
        let line = record.position().map_or(0, |at| {
            // It counts the blank lines before a row as the row's.
            let rest = text.as_bytes().get(at.byte() as usize..).unwrap_or_default();
            let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte));
            at.line() as usize + blank.filter(|&&byte| byte == b'\n').count()
        });
        Row { line, cells: Cells::Placed(cells) }
    };
    records.map(row).collect()
}

fn objects(text: &str) -> Result<Vec<Row<'static>>, DatasetError> {
    let lines = text.lines().zip(1..).filter(|(text, _)| !text.trim().is_empty());
    let row = |(text, line)| match serde_json::from_str(text) {
        Ok(object) => Ok(Row { line, cells: Cells::Named(object) }),
        Err(error) => Err(DatasetError::Json { line, reason: error.to_string() }),
    };
    lines.map(row).collect()
}

/// Takes the header away, if there is one, and says where the columns are.
pub(super) fn locate<const N: usize>(
    rows: &mut Peekable<IntoIter<Row<'_>>>,
    columns: [Column; N],
) -> Result<[Column; N], DatasetError> {
    let header = rows.next_if(|row| {
        let placed = matches!(row.cells, Cells::Placed(_));
        placed && columns.iter().all(|column| row.titled(column).is_some())
    });
    rows.peek().ok_or(DatasetError::Empty)?;
    Ok(columns.map(|column| {
        let titled = header.as_ref().and_then(|header| header.titled(&column));
        Column { place: titled.unwrap_or(column.place), ..column }
    }))
}

impl Row<'_> {
    /// How many cells it has, where they have places.
    pub fn len(&self) -> Option<usize> {
        match &self.cells {
            Cells::Placed(cells) => Some(cells.len()),
            Cells::Named(_) => None,
        }
    }

    /// What is in a column.
    pub fn get(&self, column: &Column) -> Result<Cow<'_, str>, DatasetError> {
        let Column { name, place, .. } = *column;
        match &self.cells {
            Cells::Placed(cells) => cells
                .get(place)
                .map(|cell| Cow::Borrowed(cell.as_ref()))
                .ok_or(DatasetError::MissingColumn { line: self.line, column: place + 1, name }),
            Cells::Named(cells) => {
                match self.titled(column).and_then(|at| cells.values().nth(at)) {
                    None | Some(Value::Null) => {
                        Err(DatasetError::MissingKey { line: self.line, name })
                    }
                    Some(Value::String(text)) => Ok(Cow::Borrowed(text)),
                    Some(other) => Ok(Cow::Owned(other.to_string())),
                }
            }
        }
    }

    /// That what was found in a column should have been something else.
    pub fn unexpected(&self, column: &Column, found: &str, expected: String) -> DatasetError {
        const SHOWN: usize = 40;
        let place = match self.cells {
            Cells::Placed(_) => column.place,
            Cells::Named(_) => self.titled(column).unwrap_or_default(),
        };
        DatasetError::Value {
            line: self.line,
            column: place + 1,
            name: column.name,
            found: found.chars().take(SHOWN).collect(),
            expected,
        }
    }

    /// Where a column is that this row names, as a header or as an object.
    fn titled(&self, column: &Column) -> Option<usize> {
        let is =
            |cell: &str| column.titles.iter().any(|title| title.eq_ignore_ascii_case(cell.trim()));
        match &self.cells {
            Cells::Placed(cells) => cells.iter().position(|cell| is(cell)),
            Cells::Named(cells) => cells.keys().position(|key| is(key)),
        }
    }
}
