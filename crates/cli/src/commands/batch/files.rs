//! The files of a run: what is read, what is written, and with which columns.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trireme_domain::batch::Shard;
use trireme_domain::{Code, Fault, dataset};

use super::args::{Share, Wanted};
use crate::host;
use crate::table::{self, Column, Format, unreadable};

/// The files of a run.
#[derive(Clone)]
pub struct Files {
    pub input: PathBuf,
    pub from: Format,
    pub output: PathBuf,
    pub to: Format,
    pub shard: Shard,
    /// The columns of the input, which are those of the output too.
    pub carried: Vec<Column>,
    /// The column with the texts.
    pub text: String,
    /// The column that names a row.
    pub id: Option<String>,
    /// The input's length and time, by which it is seen to change.
    stamp: Stamp,
}

type Stamp = (u64, Option<SystemTime>);

impl Files {
    /// Looks at the input's beginning, and at nothing of the output but its name.
    pub fn new(input: &Path, output: &Path, wanted: &Wanted, share: Share) -> Result<Self, Fault> {
        let (from, to) = (Format::of(input)?, Format::of(output)?);
        let shard = shard(share)?;
        let output = match share.is_of_several() {
            true => named_by(output, shard),
            false => output.to_owned(),
        };
        let stamp = stamp(input)?;
        if output.exists() && fs::canonicalize(input).ok() == fs::canonicalize(&output).ok() {
            let message = format!("{} can't be both read and written", input.display());
            return Err(Fault::new(Code::InvalidRequest, message));
        }
        let carried = table::columns(input, from)?;
        writable(to, &carried)?;
        let named = |title: &str| Ok::<_, Fault>(table::column(&carried, &[title])?.name.clone());
        let text = match wanted.text_column.as_deref() {
            Some(title) => named(title)?,
            // Where there is no row, there is no text to look for either.
            None if carried.is_empty() => String::new(),
            None => table::column(&carried, &dataset::TEXT_TITLES)?.name.clone(),
        };
        let id = wanted.id_column.as_deref().map(named).transpose()?;
        let input = input.to_owned();
        Ok(Self { input, from, output, to, shard, carried, text, id, stamp })
    }

    /// That the input is still what it was.
    pub fn unchanged(&self) -> Result<(), Fault> {
        if stamp(&self.input)? == self.stamp {
            return Ok(());
        }
        let message = format!("{} changed while it was read; run again", self.input.display());
        Err(Fault::new(Code::Unreadable, message))
    }
}

fn stamp(path: &Path) -> Result<Stamp, Fault> {
    let data = fs::metadata(path).map_err(|e| unreadable(path, &e))?;
    Ok((data.len(), data.modified().ok()))
}

/// Whether a header can hold the names.
fn writable(to: Format, columns: &[Column]) -> Result<(), Fault> {
    let breaks = |column: &&Column| column.name.contains(['\t', '\n', '\r']);
    match columns.iter().find(breaks) {
        Some(column) if to == Format::Tsv => {
            let message = format!("between tabs, no column can be called {:?}", column.name);
            Err(Fault::new(Code::InvalidRequest, message))
        }
        _ => Ok(()),
    }
}

impl Share {
    fn is_of_several(self) -> bool {
        self.shard.is_some() || self.shards.is_some()
    }
}

/// The shard that is meant; an Indexed Job of Kubernetes says in the environment which one it is.
pub fn shard(share: Share) -> Result<Shard, Fault> {
    const INDEX: &str = "JOB_COMPLETION_INDEX";
    let Some(of) = share.shards else { return Ok(share.shard.unwrap_or(Shard::WHOLE)) };
    let wrong = |message: String| Fault::new(Code::InvalidRequest, message);
    let index = host::variable(INDEX)
        .ok_or_else(|| wrong(format!("--shards {of} wants {INDEX}; or say --shard 0/{of}")))?;
    format!("{index}/{of}").parse().map_err(|e| wrong(format!("{INDEX}: {e}")))
}

/// The name of what a shard writes: `out.csv` becomes `out.0-of-4.csv`.
fn named_by(output: &Path, shard: Shard) -> PathBuf {
    let part = format!("{}-of-{}", shard.index(), shard.of());
    let extension = output.extension().unwrap_or_default().to_string_lossy();
    output.with_extension(format!("{part}.{extension}"))
}
