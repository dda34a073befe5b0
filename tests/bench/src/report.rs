//! What was measured: a table, the same as JSON, and a plot.

use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::plot::{self, Scale};

/// One line of a table.
pub trait Row: Serialize {
    /// What its figures are called, in the order of [`Row::figures`].
    const COLUMNS: &'static [&'static str];

    /// What the plot's bars are.
    const SCALE: Scale;

    fn label(&self) -> &str;

    /// As they are printed.
    fn figures(&self) -> Vec<String>;

    /// The figure that the plot draws.
    fn bar(&self) -> f64;
}

/// All figures of one run.
#[derive(Serialize)]
pub struct Report<R> {
    /// Names the files.
    #[serde(skip)]
    name: &'static str,
    /// What was measured.
    title: String,
    machine: String,
    cases: Vec<Case<R>>,
}

/// What was measured together.
#[derive(Serialize)]
pub struct Case<R> {
    pub name: String,
    pub rows: Vec<R>,
}

impl<R: Row> Report<R> {
    pub fn new(name: &'static str, title: impl Into<String>) -> Self {
        let title = title.into();
        println!("{title}");
        println!("{}", line("", "", R::COLUMNS.iter()));
        Self { name, title, machine: machine(), cases: Vec::new() }
    }

    /// Prints a case as soon as it is measured.
    pub fn add(&mut self, name: impl Into<String>, rows: Vec<R>) {
        let name = name.into();
        for (at, row) in rows.iter().enumerate() {
            let case = if at == 0 { &name } else { "" };
            println!("{}", line(case, row.label(), row.figures().iter()));
        }
        self.cases.push(Case { name, rows });
    }

    /// Writes the figures as JSON, and the plot.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        let plot = plot::bars(&self.title, &self.machine, &self.cases);
        for (ending, text) in [("json", json), ("svg", plot)] {
            let path = folder.join(self.name).with_extension(ending);
            std::fs::write(&path, text).map_err(Error::file(&path))?;
            println!("written: {}", path.display());
        }
        Ok(())
    }
}

fn line(case: &str, label: &str, figures: impl Iterator<Item = impl AsRef<str>>) -> String {
    let figures: String = figures.map(|figure| format!(" {:>12}", figure.as_ref())).collect();
    format!("{case:52} {label:40}{figures}")
}

/// The processor, as Linux names it.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores", model.unwrap_or("unknown processor"))
}
