//! Rows of the input, looked at and put together into parts, ahead of whoever computes.

use std::ops::Range;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use trireme_domain::{Code, Fault, Limits};

use super::plan::Plan;
use crate::table::{self, Format, Found, Row, Unread};

/// Neighbouring rows.
pub struct Part {
    pub start: u64,
    pub end: u64,
    pub lines: Vec<Line>,
    pub rejects: Vec<Reject>,
}

/// A row with a text that may be asked about.
pub struct Line {
    /// Counted from 0.
    pub number: u64,
    pub id: Option<Value>,
    pub text: String,
    pub row: Row,
}

/// A row that gets no answer, and why.
#[derive(Serialize)]
pub struct Reject {
    /// Counted from 1, without a header.
    pub row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(flatten)]
    fault: Fault,
    #[serde(flatten)]
    content: Content,
}

/// The row itself, or its bytes where it could not be read.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    #[serde(rename = "content")]
    Row(Row),
    Raw(String),
    Base64(String),
}

impl Reject {
    pub fn of_row(number: u64, id: Option<Value>, fault: Fault, row: Row) -> Self {
        Self { row: number + 1, id, fault, content: Content::Row(row) }
    }

    fn unread(number: u64, unread: Unread) -> Self {
        let content = match String::from_utf8(unread.raw) {
            Ok(text) => Content::Raw(text),
            Err(error) => Content::Base64(BASE64_STANDARD.encode(error.as_bytes())),
        };
        Self { row: number + 1, id: None, fault: unread.fault, content }
    }
}

/// Sends these rows, part by part, to whoever computes; a fault is the last that is sent.
pub fn parts(plan: &Plan, rows: Range<u64>, to: &Sender<Result<Part, Fault>>) {
    if let Err(fault) = send_parts(plan, rows, to) {
        // Nobody is there any more where the run failed elsewhere.
        drop(to.blocking_send(Err(fault)));
    }
}

fn send_parts(
    plan: &Plan,
    rows: Range<u64>,
    to: &Sender<Result<Part, Fault>>,
) -> Result<(), Fault> {
    let mut found = table::rows(&plan.files.input, plan.files.from, rows.start)?;
    let mut next = rows.start;
    while next < rows.end {
        let part = part(plan, &mut found, next..rows.end)?;
        next = part.end;
        if part.start == part.end || to.blocking_send(Ok(part)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The next part, of these rows at most.
fn part(plan: &Plan, found: &mut table::Rows, rows: Range<u64>) -> Result<Part, Fault> {
    let start = rows.start;
    let mut part = Part { start, end: start, lines: Vec::new(), rejects: Vec::new() };
    let mut bytes = 0;
    while part.end < rows.end && !plan.size.is_full((part.end - start) as usize, bytes) {
        let Some(found) = found.next().transpose()? else { break };
        bytes += found.bytes;
        match looked_at(plan, part.end, found) {
            Ok(line) => part.lines.push(line),
            Err(reject) => part.rejects.push(*reject),
        }
        part.end += 1;
    }
    Ok(part)
}

fn looked_at(plan: &Plan, number: u64, found: Found) -> Result<Line, Box<Reject>> {
    let row = found.row.map_err(|unread| Box::new(Reject::unread(number, unread)))?;
    let id = plan.files.id.as_ref().and_then(|name| row.get(name)).cloned();
    match fits(plan, &row).and_then(|()| text(plan, &row)) {
        Ok(text) => Ok(Line { number, id, text, row }),
        Err(fault) => Err(Box::new(Reject::of_row(number, id, fault, row))),
    }
}

/// The text of a row, where it may be asked about.
fn text(plan: &Plan, row: &Row) -> Result<String, Fault> {
    let Some(cell) = row.get(&plan.files.text) else {
        let message = format!("the row has no {}", plan.files.text);
        return Err(Fault::new(Code::InvalidData, message));
    };
    let text = table::text(cell);
    Limits::default().check_text(&text)?;
    Ok(text.into_owned())
}

/// Whether the output can hold a row, with nothing lost or taken for something else.
fn fits(plan: &Plan, row: &Row) -> Result<(), Fault> {
    let data = |message| Err(Fault::new(Code::InvalidData, message));
    for (name, cell) in row {
        let named = || plan.files.carried.iter().any(|column| column.name == *name);
        let known = plan.files.from != Format::Jsonl || named();
        if !known && (plan.files.to != Format::Jsonl || plan.adds(name)) {
            return data(format!("no row before had {name:?}, so there is no column for it"));
        }
        if plan.files.to == Format::Tsv && table::text(cell).contains(['\t', '\n', '\r']) {
            return data(format!("between tabs, {name:?} can't hold a tab or a new line"));
        }
    }
    Ok(())
}
