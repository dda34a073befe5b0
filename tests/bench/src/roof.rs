//! What each engine can do at most.

use serde::Serialize;

use crate::Settings;
use crate::engine::{Engine, Kernel, LANES, RELAXED, ROWS, Tile};
use crate::error::Result;
use crate::measure::{Run, in_turn};
use crate::plot::Scale;
use crate::report::{Report, Row};

/// The roof of one engine.
#[derive(Serialize)]
struct Roof {
    engine: String,
    /// Operations a second.
    rate: f64,
    /// Of the fastest tile.
    rows: u32,
    /// What the same module reaches here, over what it reaches in Chromium.
    of_chromium: f64,
}

impl Row for Roof {
    const COLUMNS: &'static [&'static str] = &["operations", "best tile", "of Chromium"];
    const SCALE: Scale = Scale::Share;

    fn label(&self) -> &str {
        &self.engine
    }

    fn figures(&self) -> Vec<String> {
        vec![
            format!("{:.1} G/s", self.rate / 1e9),
            format!("{} rows", self.rows),
            format!("{:.2}x", self.of_chromium),
        ]
    }

    fn bar(&self) -> f64 {
        self.of_chromium
    }
}

/// The fastest tile of each engine for the lane of our hosts, singles before bytes. Chromium is the
/// first engine.
pub fn fastest(settings: &Settings, engines: &[Engine]) -> Result<Vec<[Tile; 2]>> {
    let title = "operations a second of micro-kernels, and over Chromium's";
    let mut report = Report::new("roofs", title);
    let mut relaxed = Vec::new();
    for lane in LANES {
        for kernel in [Kernel::Singles, Kernel::Bytes] {
            let tiles = ROWS.map(|rows| Tile { kernel, lane, rows });
            let each = engines.iter().flat_map(|engine| tiles.map(|tile| (engine, tile)));
            let mut ways: Vec<Run<'_>> =
                each.map(|(engine, tile)| Box::new(move || engine.run(tile)) as Run<'_>).collect();
            let times = in_turn(settings.rounds, &mut ways)?;
            let best = times.chunks(ROWS.len()).filter_map(|times| {
                let rates = tiles.iter().zip(times).map(|(&tile, &time)| (tile, tile.rate(time)));
                rates.max_by(|(_, a), (_, b)| a.total_cmp(b))
            });
            let best: Vec<(Tile, f64)> = best.collect();
            let chromium = best.first().map_or(f64::NAN, |(_, rate)| *rate);
            let rows = engines.iter().zip(&best).map(|(engine, &(tile, rate))| Roof {
                engine: engine.name(),
                rate,
                rows: tile.rows,
                of_chromium: rate / chromium,
            });
            report.add(format!("{}, {lane}", kernel.name()), rows.collect());
            if lane == RELAXED {
                relaxed.push(best);
            }
        }
    }
    report.write(&settings.out)?;
    let [singles, bytes] = relaxed.as_slice() else { return Ok(Vec::new()) };
    Ok(singles.iter().zip(bytes).map(|((singles, _), (bytes, _))| [*singles, *bytes]).collect())
}
