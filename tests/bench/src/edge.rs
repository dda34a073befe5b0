//! On the edge, and in the browser for comparison: our hosts, under the roofs of their engines.

use std::time::Duration;

use serde::Serialize;
use trireme_cpu::Precision;

use crate::Settings;
use crate::deployed::Model;
use crate::engine::{Engine, Tile};
use crate::error::Result;
use crate::host::{Host, Place};
use crate::measure::{Run, in_turn};
use crate::ours::checkpoint;
use crate::plot::Scale;
use crate::report::{Report, Row};
use crate::roof;
use crate::versus::rate;

/// Tokens of a text.
const LENGTHS: [usize; 3] = [16, 128, 256];

/// A model, and how many tokens of it one request asks for.
struct Case {
    model: Model,
    precision: Precision,
    tokens: usize,
}

/// What decides how much a token costs, from a model's configuration.
struct Shape {
    width: f64,
    inner: f64,
    layers: f64,
    tokens: usize,
}

impl Shape {
    fn of(model: Model) -> Result<Self> {
        let checkpoint = checkpoint(&model.path())?;
        let spec = checkpoint.spec();
        let [width, inner, layers] = [spec.width, spec.inner, spec.layers].map(|size| size as f64);
        Ok(Self { width, inner, layers, tokens: spec.max_tokens() })
    }

    /// Operations of a token in products with weights, and in attention, which is in singles
    /// always.
    fn operations(&self, length: usize) -> [f64; 2] {
        let Self { width, inner, layers, .. } = self;
        let products = layers * (8.0 * width * width + 4.0 * width * inner);
        [products, layers * 4.0 * length as f64 * width]
    }

    /// Tokens a second, from operations a second in singles and in bytes.
    fn roof(&self, length: usize, precision: Precision, [singles, bytes]: [f64; 2]) -> f64 {
        let [products, attention] = self.operations(length);
        let rate = if precision.in_bytes() { bytes } else { singles };
        1.0 / (products / rate + attention / singles)
    }
}

/// One host.
#[derive(Serialize)]
struct Reach {
    place: &'static str,
    /// Tokens a second.
    ours: f64,
    /// What they would be, if its engine did nothing but multiply and add, as fast as its
    /// micro-kernels.
    roof: f64,
    /// Ours here, over ours in Chromium.
    of_chromium: f64,
}

impl Row for Reach {
    const COLUMNS: &'static [&'static str] = &["ours", "roof", "of the roof", "of Chromium"];
    const SCALE: Scale = Scale::Share;

    fn label(&self) -> &str {
        self.place
    }

    fn figures(&self) -> Vec<String> {
        let (ours, roof) = (self.ours, self.roof);
        vec![
            format!("{ours:.0}/s"),
            format!("{roof:.0}/s"),
            format!("{:.0} %", self.bar() * 100.0),
            format!("{:.2}x", self.of_chromium),
        ]
    }

    fn bar(&self) -> f64 {
        self.ours / self.roof
    }
}

pub fn run(settings: &Settings) -> Result<()> {
    let engines = [Engine::chromium()?, Engine::workerd()?, Engine::wasmtime()?];
    let tiles = roof::fastest(settings, &engines)?;
    let mut report = Report::new("edge", "tokens a second, and their share of the engine's roof");
    for (model, tokens) in [(Model::MiniLm, 1024), (Model::Default, 4096)] {
        for precision in [Precision::Int8, Precision::F32].into_iter().filter(|&p| model.has(p)) {
            let case = Case { model, precision, tokens };
            case.measure(settings, &engines, &tiles, &mut report)?;
        }
    }
    report.write(&settings.out)
}

impl Case {
    /// Adds every length to the report.
    fn measure(
        &self,
        settings: &Settings,
        engines: &[Engine],
        tiles: &[[Tile; 2]],
        report: &mut Report<Reach>,
    ) -> Result<()> {
        let Self { model, precision, tokens } = *self;
        let shape = Shape::of(model)?;
        let title = |length| format!("{}, uniform {length}, {}", model.name(), precision.name());
        let wanted = |length: &usize| *length <= shape.tokens && settings.wants(&title(*length));
        let lengths: Vec<usize> = LENGTHS.into_iter().filter(wanted).collect();
        if lengths.is_empty() {
            return Ok(());
        }
        // In the order of their engines.
        let places = [Place::Chromium, model.workerd(precision), Place::Wasmtime];
        let deployed = model.deployed(precision, &settings.out)?;
        let start = |place: Place| place.start(deployed.as_deref(), precision.name());
        let hosts = places.into_iter().map(start).collect::<Result<Vec<_>>>()?;
        for length in lengths {
            let texts = tokens / length;
            let mut ways: Vec<Run<'_>> = Vec::new();
            for ((host, engine), tiles) in hosts.iter().zip(engines).zip(tiles) {
                ways.push(Box::new(move || warm(host, texts, length)));
                ways.extend(tiles.map(|tile| Box::new(move || engine.run(tile)) as Run<'_>));
            }
            let times = in_turn(settings.rounds, &mut ways)?;
            let mut rows: Vec<Reach> = Vec::new();
            for ((place, tiles), &[ours, singles, bytes]) in
                places.iter().zip(tiles).zip(times.as_chunks().0)
            {
                let ours = rate(texts * length, ours);
                let rates = [tiles[0].rate(singles), tiles[1].rate(bytes)];
                rows.push(Reach {
                    place: place.name(),
                    ours,
                    roof: shape.roof(length, precision, rates),
                    of_chromium: ours / rows.first().map_or(ours, |chromium| chromium.ours),
                });
            }
            report.add(title(length), rows);
        }
        Ok(())
    }
}

/// Hosts let go of an instance that is not asked for a second, so it is asked just before.
fn warm(host: &Host, texts: usize, length: usize) -> Result<Duration> {
    host.embed(1, length)?;
    host.embed(texts, length)
}
