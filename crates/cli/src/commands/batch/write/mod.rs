//! Rows with their answers, in the bytes of a file.

mod columns;
mod lines;

use trireme_domain::{Code, Fault};

pub use columns::properties;

use super::plan::Plan;
use super::read::Reject;
use super::said::Said;
use crate::table::{Format, Row};

/// A whole file with these rows.
pub fn table(plan: &Plan, rows: &[(Row, Said)]) -> Result<Vec<u8>, Fault> {
    match plan.files.to {
        Format::Jsonl => lines::objects(plan, rows).map_err(|e| broken(&e)),
        Format::Csv | Format::Tsv => lines::cells(plan, rows).map_err(|e| broken(&e)),
        Format::Parquet => columns::groups(plan, rows).map_err(|e| broken(&e)),
    }
}

/// A file with the rows that have no answer.
pub fn rejects(rejects: &[Reject]) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    for reject in rejects {
        lines::object(&mut bytes, reject).map_err(|e| broken(&e))?;
    }
    Ok(bytes)
}

fn broken(error: &dyn std::error::Error) -> Fault {
    Fault::new(Code::Internal, format!("a row could not be written: {error}"))
}
