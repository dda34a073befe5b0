//! Rows as lines of text.

use std::borrow::Cow;

use serde::Serialize;

use crate::commands::batch::plan::Plan;
use crate::commands::batch::said::{Cell, Said, Whole};
use crate::table::{self, Format, Row};

/// An object of JSON a line.
pub fn objects(plan: &Plan, rows: &[(Row, Said)]) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (row, said) in rows {
        object(&mut bytes, &Whole(row, said, &plan.names))?;
    }
    Ok(bytes)
}

/// One object, on a line of its own.
pub fn object(bytes: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *bytes, value)?;
    bytes.push(b'\n');
    Ok(())
}

/// Cells between commas or tabs, under a header. What is no text is said in JSON.
pub fn cells(plan: &Plan, rows: &[(Row, Said)]) -> csv::Result<Vec<u8>> {
    let mut builder = csv::WriterBuilder::new();
    if plan.files.to == Format::Tsv {
        // Rows that would need quotes were rejected when they were read.
        builder.delimiter(b'\t').quote_style(csv::QuoteStyle::Never);
    }
    let mut bytes = Vec::new();
    let mut writer = builder.from_writer(&mut bytes);
    let carried = || plan.files.carried.iter().map(|column| column.name.as_str());
    writer.write_record(carried().chain(plan.added.names(&plan.names)))?;
    for (row, said) in rows {
        let own = carried().map(|name| row.get(name).map_or(Cow::Borrowed(""), table::text));
        let added = said.cells(&plan.names).into_iter().map(|(_, cell)| text(&cell));
        let cells = own.map(Ok).chain(added).collect::<serde_json::Result<Vec<_>>>();
        let cells = cells.map_err(std::io::Error::from)?;
        writer.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(bytes)
}

fn text<'a>(cell: &Cell<'a>) -> serde_json::Result<Cow<'a, str>> {
    match *cell {
        Cell::Text(text) => Ok(Cow::Borrowed(text)),
        ref other => serde_json::to_string(other).map(Cow::Owned),
    }
}
