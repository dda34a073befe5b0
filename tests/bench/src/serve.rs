//! The server under load, beside FastAPI over onnxruntime: each alone on one core, and whoever asks
//! on the other.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use trireme_cpu::{Lane, Precision};
use trireme_model::Cut;
use trireme_tests::{Process, cache_dir, minilm_dir, target_dir};

use crate::Settings;
use crate::deployed::Model;
use crate::error::{Error, Result};
use crate::load::{Clients, Load, load};
use crate::native::{graphs_of, programs};
use crate::ours::{Ours, checkpoint};
use crate::plot::Scale;
use crate::report::{Report, Row};

/// Clients that ask at once.
const CLIENTS: [usize; 4] = [1, 16, 64, 256];

/// How long each side is asked, each time.
const TIME: Duration = Duration::from_secs(4);

/// Texts that wait at most where too many ask, and as many clients as fill that room.
const ROOM: usize = 64;

/// Clients enough that each rate is reached, though some wait for their answers.
const MANY: usize = 320;

#[derive(Serialize)]
struct Asked {
    label: String,
    rate: f64,
    p50: f64,
    p99: f64,
    p999: f64,
    refused: usize,
    /// Over the peer's rate, or over the rate that it is held against.
    ratio: f64,
}

impl Row for Asked {
    const COLUMNS: &'static [&'static str] =
        &["answers", "p50", "p99", "p99.9", "refused", "ratio"];
    const SCALE: Scale = Scale::Ratio;

    fn label(&self) -> &str {
        &self.label
    }

    fn figures(&self) -> Vec<String> {
        vec![
            format!("{:.0}/s", self.rate),
            milliseconds(self.p50),
            milliseconds(self.p99),
            milliseconds(self.p999),
            self.refused.to_string(),
            format!("{:.2}x", self.ratio),
        ]
    }

    fn bar(&self) -> f64 {
        self.ratio
    }
}

/// Nothing where nobody waited for an answer.
fn milliseconds(time: f64) -> String {
    if time.is_nan() { "-".to_owned() } else { format!("{time:.1} ms") }
}

/// Several runs as one.
fn asked(label: &str, runs: Vec<Load>, beside: Option<f64>) -> Asked {
    let took = runs.iter().map(|run| run.took).sum();
    let (good, refused) = runs.iter().fold((0, 0), |(g, r), run| (g + run.good, r + run.refused));
    let mut seconds: Vec<f64> = runs.into_iter().flat_map(|run| run.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let all = Load { good, refused, took, seconds };
    Asked {
        label: label.to_owned(),
        rate: all.rate(),
        p50: all.within(0.5),
        p99: all.within(0.99),
        p999: all.within(0.999),
        refused,
        ratio: beside.map_or(1.0, |beside| all.rate() / beside),
    }
}

pub fn run(settings: &Settings) -> Result<()> {
    stay_off_the_first_core()?;
    let bodies = bodies()?;
    let mut report = Report::new(
        "serve",
        "answers a second of one text each, as long as SST-2's; the server on one core",
    );
    let beside = [(Precision::Int8, "int8"), (Precision::F32, "f32"), (Precision::Bf16, "f32")];
    // Halves want a lane that has them.
    let halves = Lane::detect().has_halves();
    for (precision, beside) in beside.into_iter().filter(|(of, _)| *of != Precision::Bf16 || halves)
    {
        let name = precision.name();
        let model = Model::MiniLm.deployed(precision, &settings.out)?;
        let model = model.unwrap_or_else(minilm_dir);
        let (ours, theirs) = (ours(&model, precision, 4096)?, theirs(beside)?);
        for clients in CLIENTS {
            let title = format!("{name}, {clients} clients");
            if !settings.wants(&title) {
                continue;
            }
            let (mut us, mut them) = (Vec::new(), Vec::new());
            for round in 0..=settings.rounds {
                let asking = Clients { number: clients, rate: None };
                let both = [&ours, &theirs].map(|side| load(&side.1, &bodies, asking, TIME));
                let [one, other] = both;
                // The first round warms both.
                if round > 0 {
                    us.push(one?);
                    them.push(other?);
                }
            }
            let them = asked("FastAPI", them, None);
            let us = asked("trireme", us, Some(them.rate));
            report.add(title, vec![us, them]);
        }
        let title = format!("{name}, five times too many");
        if settings.wants(&title) {
            report.add(title, overload(settings, &model, precision, &bodies)?);
        }
        let title = format!("{name}, beside the engine");
        if settings.wants(&title) {
            let engine = Ours::new(&checkpoint(&model)?, precision, 1)?;
            report.add(title, beside_engine(settings, &engine, &ours.1, &bodies)?);
        }
    }
    report.write(&settings.out)
}

/// Good answers a second at five times the rate that there is room for, beside those at the rate
/// that is just reached.
fn overload(
    settings: &Settings,
    model: &Path,
    precision: Precision,
    bodies: &[String],
) -> Result<Vec<Asked>> {
    let tight = ours(model, precision, ROOM)?;
    let filled = |number| Clients { number, rate: None };
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for round in 0..=settings.rounds {
        let peak = load(&tight.1, bodies, filled(ROOM), TIME)?;
        let five = Clients { number: MANY, rate: Some(5.0 * peak.rate()) };
        let five = load(&tight.1, bodies, five, TIME)?;
        if round > 0 {
            few.push(peak);
            many.push(five);
        }
    }
    let few = asked("as many as there is room for", few, None);
    let many = asked("five times that rate", many, Some(few.rate));
    Ok(vec![many, few])
}

/// The server with 64 clients beside the engine alone, on one core each and the same texts, read
/// beforehand for the engine.
fn beside_engine(
    settings: &Settings,
    engine: &Ours,
    server: &str,
    bodies: &[String],
) -> Result<Vec<Asked>> {
    let model = engine.model();
    let reader = model.reader();
    let read = |text: &String| Ok(reader.encode_for_vector(text, None, Cut::default())?.ids.len());
    let lengths = texts()?.iter().map(read).collect::<Result<Vec<usize>>>()?;
    let (mut served, mut bare) = (Vec::new(), Vec::new());
    let clients = Clients { number: 64, rate: None };
    for _round in 0..settings.rounds {
        served.push(load(server, bodies, clients, TIME)?);
        let took = engine.run(&lengths)?;
        bare.push(Load { good: lengths.len(), refused: 0, took, seconds: Vec::new() });
    }
    let bare = asked("the engine alone", bare, None);
    let served = asked("over HTTP, 64 clients", served, Some(bare.rate));
    Ok(vec![served, bare])
}

fn texts() -> Result<Vec<String>> {
    let data = std::env::var_os("TRIREME_DATA").map(PathBuf::from);
    let data =
        data.ok_or_else(|| Error::Host("set TRIREME_DATA to the folder with sst2/".into()))?;
    let path = data.join("sst2/dev.tsv");
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    let sentence = |line: &str| line.split_once('\t').map(|(_, text)| text.to_owned());
    Ok(text.lines().skip(1).filter_map(sentence).collect())
}

/// Eight numbers of each vector come back: more would measure how they are printed.
fn bodies() -> Result<Vec<String>> {
    let body = |text| json!({"text": text, "dimensions": 8}).to_string();
    Ok(texts()?.into_iter().map(body).collect())
}

/// A server, and the host and port that it answers at.
type Side = (Process, String);

/// Whoever asks must not take time from whoever answers.
fn stay_off_the_first_core() -> Result<()> {
    let moved =
        Command::new("taskset").args(["-cp", "1", &std::process::id().to_string()]).output();
    match moved {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(Error::Host("taskset could not choose a core; two are wanted".to_owned())),
    }
}

/// A program on the first core alone.
fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program);
    command
}

fn ours(model: &Path, precision: Precision, queue: usize) -> Result<Side> {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 2>&1", "taskset", "-c", "0"]);
    command.arg(target_dir().join("release/trireme"));
    command.args(["serve", "--offline", "--port", "0", "--threads", "1", "--log", "error"]);
    // The texts come again and again; what is measured is how they are computed.
    command.args([
        "--remember",
        "0",
        "--queue",
        &queue.to_string(),
        "--precision",
        precision.name(),
    ]);
    command.arg("--model").arg(model);
    started(Process::until(&mut command, |line| {
        let (_, rest) = line.split_once("answers at ")?;
        rest.split_whitespace().next().map(str::to_owned)
    }))
}

fn theirs(precision: &str) -> Result<Side> {
    let mut command = pinned(&cache_dir().join("bench/fastapi/bin/python"));
    command.arg(programs().join("fastapi/server.py"));
    command.arg(graphs_of(&minilm_dir())).arg(minilm_dir()).arg(precision);
    started(Process::start(&mut command))
}

fn started(side: std::io::Result<(Process, String)>) -> Result<Side> {
    let (process, base) = side.map_err(|error| Error::Host(format!("a server: {error}")))?;
    let address = base.strip_prefix("http://").unwrap_or(&base).to_owned();
    Ok((process, address))
}
