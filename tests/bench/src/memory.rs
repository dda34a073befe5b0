//! The memory that a model takes in each host, before and after a batch.
//!
//! Natively that is the whole process, pages of the model's file among it, which the system may take
//! back. A wasm module's memory never shrinks, so what loading took is there to the end.

use std::fs;
use std::path::Path;

use serde::Serialize;
use trireme_cpu::{Lane, Precision};
use trireme_tests::cache_dir;

use crate::Settings;
use crate::deployed::Model;
use crate::error::{Error, Result};
use crate::host::{Host, Place, resident};
use crate::plot::Scale;
use crate::report::{Report, Row};

/// The batch.
const TEXTS: usize = 32;
const LENGTH: usize = 128;

const MIB: f64 = 1_048_576.0;

/// One host.
#[derive(Serialize)]
struct Footprint {
    place: String,
    /// Bytes of the weights' file.
    file: f64,
    /// After one short text.
    loaded: f64,
    /// The most, the batch included.
    most: f64,
}

impl Row for Footprint {
    const COLUMNS: &'static [&'static str] = &["file", "loaded", "at most"];
    const SCALE: Scale = Scale::Amount;

    fn label(&self) -> &str {
        &self.place
    }

    fn figures(&self) -> Vec<String> {
        [self.file, self.loaded, self.most].map(|bytes| format!("{:.1} MiB", bytes / MIB)).into()
    }

    fn bar(&self) -> f64 {
        self.most / MIB
    }
}

pub fn run(settings: &Settings) -> Result<()> {
    let title = format!("memory with {TEXTS} texts of {LENGTH} tokens, in MiB");
    let mut report = Report::new("memory", title);
    let halves = Lane::detect().has_halves().then_some(Precision::Bf16);
    for precision in [Some(Precision::Int8), halves, Some(Precision::F32)].into_iter().flatten() {
        for model in [Model::Default, Model::MiniLm].into_iter().filter(|m| m.has(precision)) {
            let title = format!("{}, {}", model.name(), precision.name());
            if settings.wants(&title) {
                let deployed = model.deployed(precision, &settings.out)?;
                // Wasm multiplies no halves.
                let places = match precision {
                    Precision::Bf16 => vec![Place::Native],
                    _ => vec![
                        Place::Native,
                        Place::Wasmtime,
                        model.workerd(precision),
                        Place::Chromium,
                    ],
                };
                let weights = match model {
                    Model::Default => model.path(),
                    Model::MiniLm => model.path().join("model.safetensors"),
                };
                let file = deployed.as_ref().filter(|path| path.is_file()).unwrap_or(&weights);
                report.add(title, footprints(&places, deployed.as_deref(), file, precision)?);
            }
        }
        let title = format!("DistilBERT-base shape, {}", precision.name());
        if settings.wants(&title) {
            let folder = cache_dir().join("bench/models/distilbert-shape");
            let file = folder.join("model.safetensors");
            report.add(title, footprints(&[Place::Native], Some(&folder), &file, precision)?);
        }
    }
    report.write(&settings.out)
}

/// What a model takes in some hosts; `file` holds its weights.
fn footprints(
    places: &[Place],
    model: Option<&Path>,
    file: &Path,
    precision: Precision,
) -> Result<Vec<Footprint>> {
    let file = fs::metadata(file).map_err(Error::file(file))?.len() as f64;
    let footprint = |&place: &Place| {
        let host = place.start(model, precision.name())?;
        host.embed(1, 16)?;
        let loaded = memory(place, &host, "VmRSS:")?;
        host.embed(TEXTS, LENGTH)?;
        let most = memory(place, &host, "VmHWM:")?;
        let kind = if place == Place::Native { "the process" } else { "the module" };
        Ok(Footprint { place: format!("{}, {kind}", place.name()), file, loaded, most })
    };
    places.iter().map(footprint).collect()
}

/// Bytes: natively what Linux says of the process, else what the module's memory has grown to.
fn memory(place: Place, host: &Host, line: &str) -> Result<f64> {
    let grown = match place {
        Place::Native => return resident(host.id(), line),
        Place::Chromium => host.get("/memory")?,
        Place::Workerd | Place::WorkerdPastItsLimit | Place::Wasmtime => host.get("/.memory")?,
    };
    let unknown = || Error::Host(format!("{} does not say how much memory it has", place.name()));
    grown.trim().parse().map_err(|_| unknown())
}
