//! What was measured: a table, the same as JSON, and a plot.

use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::peer::Hello;
use crate::plot;

/// All figures of one run.
#[derive(Serialize)]
pub struct Report {
    /// Names the files.
    #[serde(skip)]
    name: &'static str,
    peer: String,
    machine: String,
    cases: Vec<Measured>,
}

/// One case beside a peer that was fed in several ways.
#[derive(Serialize)]
pub struct Measured {
    pub name: String,
    pub rows: Vec<Row>,
}

/// One way to feed the peer.
#[derive(Serialize)]
pub struct Row {
    pub feed: String,
    /// What the peer computes for each real token.
    pub padding: f64,
    /// Real tokens a second.
    pub ours: f64,
    /// The same of the peer.
    pub theirs: f64,
}

impl Row {
    pub fn ratio(&self) -> f64 {
        self.ours / self.theirs
    }
}

impl Report {
    pub fn new(name: &'static str, peer: &Hello) -> Self {
        let peer = format!("{} {}", peer.name, peer.version);
        println!(
            "{:52} {:20} {:>8} {:>10} {:>10} {:>6}",
            "", peer, "padding", "ours", "theirs", "ratio"
        );
        Self { name, peer, machine: machine(), cases: Vec::new() }
    }

    /// Prints a case as soon as it is measured.
    pub fn add(&mut self, name: &str, rows: Vec<Row>) {
        for (at, row) in rows.iter().enumerate() {
            println!(
                "{:52} {:20} {:7.2}x {:8.0}/s {:8.0}/s {:5.2}x",
                if at == 0 { name } else { "" },
                row.feed,
                row.padding,
                row.ours,
                row.theirs,
                row.ratio(),
            );
        }
        self.cases.push(Measured { name: name.to_owned(), rows });
    }

    /// Writes the figures as JSON, and the plot.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        let title = format!("tokens a second, ours over {}", self.peer);
        let plot = plot::bars(&title, &self.machine, &self.cases);
        for (ending, text) in [("json", json), ("svg", plot)] {
            let path = folder.join(self.name).with_extension(ending);
            std::fs::write(&path, text).map_err(Error::file(&path))?;
            println!("written: {}", path.display());
        }
        Ok(())
    }
}

/// The processor, as Linux names it.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores", model.unwrap_or("unknown processor"))
}
