//! The time to a first answer, from nothing: of a process, of a page, of an instance.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use trireme_cpu::Precision;
use trireme_tests::{built_host, target_dir};

use crate::Settings;
use crate::deployed::Model;
use crate::error::{Error, Result};
use crate::host::{Host, Place};
use crate::measure::{Run, in_turn};
use crate::native::programs;
use crate::peer::Peer;
use crate::plot::Scale;
use crate::report::{Report, Row};

/// Spin lets go of an instance that nobody asked for a second.
const IDLE: Duration = Duration::from_millis(1500);

/// One way to begin.
#[derive(Serialize)]
struct Wait {
    from: &'static str,
    milliseconds: f64,
}

impl Row for Wait {
    const COLUMNS: &'static [&'static str] = &["first answer"];
    const SCALE: Scale = Scale::Amount;

    fn label(&self) -> &str {
        self.from
    }

    fn figures(&self) -> Vec<String> {
        vec![format!("{:.0} ms", self.milliseconds)]
    }

    fn bar(&self) -> f64 {
        self.milliseconds
    }
}

pub fn run(settings: &Settings) -> Result<()> {
    let mut command = Command::new("node");
    command.arg(programs().join("chromium/first.mjs")).arg("--web").arg(built_host("web"));
    let browser = RefCell::new(Peer::start("Chromium", command)?);
    let mut report = Report::new("first", "milliseconds to a first answer");
    for model in [Model::Default, Model::MiniLm] {
        for precision in [Precision::Int8, Precision::F32].into_iter().filter(|&p| model.has(p)) {
            let title = format!("{}, {}", model.name(), precision.name());
            if settings.wants(&title) {
                let asked = Asked {
                    model: model.deployed(precision, &settings.out)?,
                    precision: precision.name(),
                };
                let workerd = model.workerd(precision);
                report.add(title, waits(settings.rounds, &asked, &browser, workerd)?);
            }
        }
    }
    report.write(&settings.out)
}

/// A model as it is deployed, or the default model.
struct Asked {
    model: Option<PathBuf>,
    precision: &'static str,
}

fn waits(
    rounds: usize,
    asked: &Asked,
    browser: &RefCell<Peer>,
    workerd: Place,
) -> Result<Vec<Wait>> {
    let spin = asked.start(Place::Wasmtime)?;
    let ways: [(&str, Run<'_>); 6] = [
        ("trireme embed, from start to end", Box::new(|| asked.command_line())),
        ("trireme serve, from its start", Box::new(|| asked.over_http(Place::Native))),
        ("Chromium, from going to the page", Box::new(|| asked.in_page(browser))),
        ("workerd, from its start", Box::new(|| asked.over_http(workerd))),
        ("wasmtime, from its start", Box::new(|| asked.over_http(Place::Wasmtime))),
        ("wasmtime, a new instance", Box::new(|| from_idle(&spin))),
    ];
    let (names, mut ways): (Vec<_>, Vec<_>) = ways.into_iter().unzip();
    let times = in_turn(rounds, &mut ways)?;
    let wait = |(from, time): (_, Duration)| Wait { from, milliseconds: time.as_secs_f64() * 1e3 };
    Ok(names.into_iter().zip(times).map(wait).collect())
}

impl Asked {
    fn path(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    fn start(&self, place: Place) -> Result<Host> {
        place.start(self.path(), self.precision)
    }

    /// A process, from its start to its first answer over HTTP.
    fn over_http(&self, place: Place) -> Result<Duration> {
        let start = Instant::now();
        let host = self.start(place)?;
        host.embed(1, 8)?;
        let time = start.elapsed();
        // What its end takes is no part of it.
        drop(host);
        Ok(time)
    }

    fn command_line(&self) -> Result<Duration> {
        let mut command = Command::new(target_dir().join("release/trireme"));
        command.args(["embed", "what a wonderful film", "--offline"]);
        command.args(["--precision", self.precision]);
        if let Some(model) = self.path() {
            command.arg("--model").arg(model);
        }
        let start = Instant::now();
        let status = command.stdout(Stdio::null()).status();
        let time = start.elapsed();
        match status {
            Ok(status) if status.success() => Ok(time),
            other => Err(Error::Host(format!("{command:?}: {other:?}"))),
        }
    }

    fn in_page(&self, browser: &RefCell<Peer>) -> Result<Duration> {
        #[derive(Serialize)]
        struct Request<'a> {
            model: &'a str,
            precision: &'a str,
        }
        let model = self.path().map_or("default".into(), Path::to_string_lossy);
        browser.borrow_mut().ask(&Request { model: &model, precision: self.precision })
    }
}

/// A host that let go of its instance, from a request to its answer.
fn from_idle(host: &Host) -> Result<Duration> {
    thread::sleep(IDLE);
    host.embed(1, 8)
}
