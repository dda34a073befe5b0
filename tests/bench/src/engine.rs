//! Engines that run micro-kernels which know nothing of ours; their source is `tests/bench/roof`.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;
use tempfile::TempDir;
use trireme_tests::{target_dir, workerd};

use crate::error::{Error, Result};
use crate::host::Host;
use crate::native::programs;
use crate::peer::Peer;

/// What a run multiplies and adds, about: a twentieth of a second.
const OPERATIONS: f64 = 2e9;

/// Rows of the tiles that are tried.
pub const ROWS: [u32; 4] = [2, 4, 5, 6];

/// What wasm may be compiled for; our edge hosts are compiled for the latter.
pub const LANES: [&str; 2] = ["simd128", RELAXED];
pub const RELAXED: &str = "relaxed-simd";

/// What a micro-kernel multiplies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    Singles,
    Bytes,
}

impl Kernel {
    pub fn name(self) -> &'static str {
        match self {
            Self::Singles => "singles",
            Self::Bytes => "bytes",
        }
    }
}

/// A micro-kernel by everything that its speed depends on.
#[derive(Clone, Copy)]
pub struct Tile {
    pub kernel: Kernel,
    pub lane: &'static str,
    pub rows: u32,
}

impl Tile {
    /// Operations of one round, as the source is written.
    fn operations(self) -> f64 {
        let columns = if self.rows == 2 { 4 } else { 2 };
        let each = match (self.kernel, self.lane) {
            (Kernel::Singles, _) => 4,
            (Kernel::Bytes, RELAXED) => 16,
            (Kernel::Bytes, _) => 8,
        };
        f64::from(2 * 256 * self.rows * columns * each)
    }

    /// Rounds of one run.
    fn rounds(self) -> u32 {
        (OPERATIONS / self.operations()) as u32
    }

    /// Operations a second, from the time of one run.
    pub fn rate(self, time: Duration) -> f64 {
        f64::from(self.rounds()) * self.operations() / time.as_secs_f64()
    }
}

/// An engine that runs micro-kernels.
pub enum Engine {
    Program(RefCell<Peer>),
    /// Its clock stands still, so it is measured from here.
    Workerd(Host),
}

#[derive(Serialize)]
struct Request {
    module: PathBuf,
    kernel: &'static str,
    rows: u32,
    rounds: u32,
}

impl Engine {
    pub fn wasmtime() -> Result<Self> {
        let command = Command::new(target_dir().join("debug/trireme-spin-roof"));
        Ok(Self::Program(RefCell::new(Peer::start("wasmtime", command)?)))
    }

    pub fn chromium() -> Result<Self> {
        let mut command = Command::new("node");
        command.arg(programs().join("chromium/roof.mjs"));
        Ok(Self::Program(RefCell::new(Peer::start("Chromium", command)?)))
    }

    pub fn workerd() -> Result<Self> {
        let folder = TempDir::new().map_err(Error::file("a temporary folder".as_ref()))?;
        let sources =
            ["config.capnp", "roof.mjs"].map(|name| programs().join("workerd").join(name));
        let modules = LANES.map(module);
        for path in sources.iter().chain(&modules) {
            let to = folder.path().join(path.file_name().unwrap_or_default());
            fs::copy(path, to).map_err(Error::file(path))?;
        }
        let (process, base) = workerd::serve(folder.path())
            .map_err(|error| Error::Host(format!("workerd: {error}")))?;
        Ok(Self::Workerd(Host::new(process, base, Some(folder))))
    }

    pub fn name(&self) -> String {
        match self {
            Self::Program(peer) => peer.borrow().hello.name.clone(),
            Self::Workerd(_) => "workerd".to_owned(),
        }
    }

    pub fn run(&self, tile: Tile) -> Result<Duration> {
        let Tile { kernel, lane, rows } = tile;
        let (kernel, rounds) = (kernel.name(), tile.rounds());
        match self {
            Self::Program(peer) => {
                let module = module(lane);
                peer.borrow_mut().ask(&Request { module, kernel, rows, rounds })
            }
            Self::Workerd(host) => {
                let start = Instant::now();
                host.get(&format!("/{lane}/{kernel}/{rows}/{rounds}"))?;
                Ok(start.elapsed())
            }
        }
    }
}

/// Where `cargo xtask bench` put a lane's module.
fn module(lane: &str) -> PathBuf {
    target_dir().join("roof").join(lane).with_extension("wasm")
}
