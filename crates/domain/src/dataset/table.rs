//! Rows and columns of a file whose columns are separated by tabs.

use std::iter::Peekable;

use super::DatasetError;

/// A column: what it holds, what a header may call that, and where it is, counted from 0.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub name: &'static str,
    pub titles: &'static [&'static str],
    pub place: usize,
}

/// One line, cut at its tabs.
pub(super) struct Row<'a> {
    /// Its number, from 1.
    pub line: usize,
    pub cells: Vec<&'a str>,
}

/// The lines of a file that are not blank.
pub(super) fn rows(bytes: &[u8]) -> Result<Peekable<impl Iterator<Item = Row<'_>>>, DatasetError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let line = 1 + bytes.iter().take(offset).filter(|&&byte| byte == b'\n').count();
        DatasetError::NotUtf8 { line, offset }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().zip(1..).filter(|(text, _)| !text.is_empty());
    Ok(lines.map(|(text, line)| Row { line, cells: text.split('\t').collect() }).peekable())
}

/// Takes the header away, if there is one, and says where the columns are.
pub(super) fn locate<'a, const N: usize>(
    rows: &mut Peekable<impl Iterator<Item = Row<'a>>>,
    columns: [Column; N],
) -> Result<[Column; N], DatasetError> {
    let header = rows.next_if(|row| columns.iter().all(|column| row.titled(column).is_some()));
    rows.peek().ok_or(DatasetError::Empty)?;
    Ok(columns.map(|column| {
        let titled = header.as_ref().and_then(|header| header.titled(&column));
        Column { place: titled.unwrap_or(column.place), ..column }
    }))
}

impl<'a> Row<'a> {
    /// What is in a column.
    pub fn get(&self, column: Column) -> Result<&'a str, DatasetError> {
        let Column { name, place, .. } = column;
        let missing = DatasetError::MissingColumn { line: self.line, column: place + 1, name };
        self.cells.get(place).copied().ok_or(missing)
    }

    /// That what was found in a column should have been something else.
    pub fn unexpected(&self, column: Column, found: &str, expected: String) -> DatasetError {
        const SHOWN: usize = 40;
        DatasetError::Value {
            line: self.line,
            column: column.place + 1,
            name: column.name,
            found: found.chars().take(SHOWN).collect(),
            expected,
        }
    }

    /// Where a column is that this row, as a header, names.
    fn titled(&self, column: &Column) -> Option<usize> {
        self.cells.iter().position(|cell| {
            column.titles.iter().any(|title| title.eq_ignore_ascii_case(cell.trim()))
        })
    }
}
