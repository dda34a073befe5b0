//! A file through `trireme batch` and its texts as a job of a server, beside the engine alone on the
//! same texts and a loop in Python over onnxruntime.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use trireme_cpu::Precision;
use trireme_model::Cut;
use trireme_tests::{cache_dir, minilm_dir, target_dir};

use crate::Settings;
use crate::deployed::Model;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::measure::{Run, in_turn};
use crate::native::{graphs_of, programs};
use crate::ours::{Ours, checkpoint};
use crate::plot::Scale;
use crate::report::{Report, Row};
use crate::versus::rate;

/// Rows of the file: enough that a part is few of them.
const ROWS: usize = 16_384;

/// What one side made of the file.
#[derive(Serialize)]
struct Answered {
    label: String,
    rows: f64,
    tokens: f64,
    /// Over the tokens a second of the engine alone.
    ratio: f64,
}

impl Row for Answered {
    const COLUMNS: &'static [&'static str] = &["rows", "tokens", "ratio"];
    const SCALE: Scale = Scale::Ratio;

    fn label(&self) -> &str {
        &self.label
    }

    fn figures(&self) -> Vec<String> {
        vec![
            format!("{:.0}/s", self.rows),
            format!("{:.0}/s", self.tokens),
            format!("{:.2}x", self.ratio),
        ]
    }

    fn bar(&self) -> f64 {
        self.ratio
    }
}

/// What a program says of a file that it answered.
#[derive(Deserialize)]
struct Told {
    rows: usize,
    tokens: usize,
    seconds: f64,
}

/// The file, and what is in it.
struct File {
    path: PathBuf,
    texts: Vec<String>,
    /// Tokens of its texts, the longest first, as a batch computes them.
    lengths: Vec<usize>,
}

pub fn run(settings: &Settings) -> Result<()> {
    let folder = tempfile::tempdir().map_err(Error::file(&settings.out))?;
    let file = file(folder.path())?;
    let mut report = Report::new(
        "batch",
        format!("{ROWS} rows of SST-2's texts, vectors written as JSON, from reading to writing"),
    );
    for (precision, beside) in [(Precision::Int8, "int8"), (Precision::F32, "f32")] {
        let model = Model::MiniLm.deployed(precision, &settings.out)?.unwrap_or_else(minilm_dir);
        for threads in [1, 2] {
            let title = format!("{}, {threads} threads", precision.name());
            if !settings.wants(&title) {
                continue;
            }
            let engine = Ours::new(&checkpoint(&model)?, precision, threads)?;
            let server = Host::keeping(&model, precision.name(), threads)?;
            let out = folder.path().join("out.jsonl");
            let mut ways: Vec<Run<'_>> = vec![
                Box::new(|| engine.run(&file.lengths)),
                Box::new(|| file.told(ours(&model, precision, threads, [&file.path, &out]))),
                Box::new(|| server.job(&file.texts)),
                Box::new(|| file.told(theirs(beside, threads, [&file.path, &out]))),
            ];
            let times = in_turn(settings.rounds, &mut ways)?;
            let labels =
                ["the engine alone", "trireme batch", "a job of a server", "a loop in Python"];
            let rows = labels.into_iter().zip(&times).map(|(label, &time)| Answered {
                label: label.to_owned(),
                rows: rate(file.lengths.len(), time),
                tokens: rate(file.lengths.iter().sum(), time),
                ratio: times[0].as_secs_f64() / time.as_secs_f64(),
            });
            report.add(title, rows.collect());
        }
    }
    report.write(&settings.out)
}

/// Texts of SST-2, an object of JSON a line.
fn file(folder: &Path) -> Result<File> {
    let data = std::env::var_os("TRIREME_DATA").map(PathBuf::from);
    let data =
        data.ok_or_else(|| Error::Host("set TRIREME_DATA to the folder with sst2/".into()))?;
    let table = data.join("sst2/train.tsv");
    let table_text = std::fs::read_to_string(&table).map_err(Error::file(&table))?;
    let field = |line: &str| line.split('\t').nth(1).map(str::to_owned);
    let texts: Vec<String> =
        table_text.lines().skip(1).filter_map(field).cycle().take(ROWS).collect();
    let model = checkpoint(&minilm_dir())?;
    let reader = trireme_model::Reader::new(&model)?;
    let length =
        |text: &String| Ok(reader.encode_for_vector(text, None, Cut::default())?.ids.len());
    let mut lengths = texts.iter().map(length).collect::<Result<Vec<usize>>>()?;
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let path = folder.join("in.jsonl");
    let lines: String = texts.iter().map(|text| json!({"text": text}).to_string() + "\n").collect();
    std::fs::write(&path, lines).map_err(Error::file(&path))?;
    Ok(File { path, texts, lengths })
}

impl File {
    /// The time that a program took, if it looked at the same tokens.
    fn told(&self, mut command: Command) -> Result<Duration> {
        let said = command.output();
        let broken = |what: String| Error::Host(format!("{command:?}: {what}"));
        let done = said.map_err(|e| broken(e.to_string()))?;
        if !done.status.success() {
            return Err(broken(String::from_utf8_lossy(&done.stderr).into_owned()));
        }
        let told: Told = serde_json::from_slice(&done.stdout).map_err(|e| broken(e.to_string()))?;
        if (told.rows, told.tokens) != (self.lengths.len(), self.lengths.iter().sum()) {
            return Err(broken(format!("{} rows with {} tokens", told.rows, told.tokens)));
        }
        Ok(Duration::from_secs_f64(told.seconds))
    }
}

/// A program that answers the file from one path to another.
fn ours(model: &Path, precision: Precision, threads: usize, files: [&Path; 2]) -> Command {
    let mut command = Command::new(target_dir().join("release/trireme"));
    command.args(["batch", "--task", "embed", "--restart", "--json", "--offline"]);
    command.args(["--precision", precision.name(), "--threads", &threads.to_string()]);
    command.arg("--model").arg(model).args(files);
    command
}

fn theirs(precision: &str, threads: usize, files: [&Path; 2]) -> Command {
    let mut command = Command::new(cache_dir().join("bench/fastapi/bin/python"));
    command.arg(programs().join("loop/loop.py")).arg(graphs_of(&minilm_dir()));
    command.arg(minilm_dir()).args([precision, &threads.to_string()]).args(files);
    command
}
