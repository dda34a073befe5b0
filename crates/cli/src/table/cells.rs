//! The cells of a row of text, and the text of a cell.

use std::borrow::Cow;

use csv_core::ReadRecordResult;
use serde_json::Value;

/// Takes a row between commas apart.
pub struct Commas {
    reader: csv_core::Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl Commas {
    pub fn new() -> Self {
        Self { reader: csv_core::Reader::new(), cells: Vec::new(), ends: Vec::new() }
    }

    /// The cells of one row.
    pub fn cells(&mut self, row: &str) -> Vec<String> {
        self.reader.reset();
        // No cell is longer than the row, and each but the last is ended by a comma.
        self.cells.resize(row.len() + 1, 0);
        self.ends.resize(row.matches(',').count() + 2, 0);
        let (mut filled, mut ended) = (0, 0);
        for input in [row.as_bytes(), &[]] {
            let (cells, ends) = (&mut self.cells[filled..], &mut self.ends[ended..]);
            let (result, _, more, ends) = self.reader.read_record(input, cells, ends);
            (filled, ended) = (filled + more, ended + ends);
            if result == ReadRecordResult::Record {
                break;
            }
        }
        let mut start = 0;
        let cell = |&end: &usize| {
            let cell = self.cells.get(start..end).unwrap_or_default();
            start = end;
            // What was cut out of a text at commas and quotes is text.
            String::from_utf8_lossy(cell).into_owned()
        };
        self.ends.iter().take(ended).map(cell).collect()
    }
}

/// The cells of a row between tabs, where quotes mean nothing.
pub fn between_tabs(row: &str) -> Vec<String> {
    row.split('\t').map(str::to_owned).collect()
}

/// What a cell says as text; nothing is an empty one.
pub fn text(cell: &Value) -> Cow<'_, str> {
    match cell {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
