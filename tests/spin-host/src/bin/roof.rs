//! The micro-kernels of `tests/bench/roof` in wasmtime: one JSON request a line, one JSON answer a
//! line.
//!
//! A request names a module, a kernel of it, the rows of its tile, and how many rounds to run. The
//! answer is the seconds that they took.

#[path = "../engine.rs"]
mod engine;

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;
use serde_json::json;
use wasmtime::{Error, Instance, Module, Result, Store};

/// The one in `Cargo.toml`.
const VERSION: &str = "48.0.8";

#[derive(Deserialize)]
struct Request {
    module: PathBuf,
    kernel: String,
    rows: i32,
    rounds: i32,
}

fn main() -> Result<()> {
    let mut out = stdout();
    writeln!(out, "{}", json!({ "name": "wasmtime", "version": VERSION }))?;
    let mut modules = HashMap::new();
    for line in stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        if !modules.contains_key(&request.module) {
            modules.insert(request.module.clone(), instance(&request.module)?);
        }
        let Some((store, instance)) = modules.get_mut(&request.module) else { continue };
        writeln!(out, "{}", json!({ "seconds": run(store, instance, &request)? }))?;
    }
    Ok(())
}

fn instance(path: &Path) -> Result<(Store<()>, Instance)> {
    let engine = engine::engine(path)?;
    let module = Module::from_file(&engine, path)?;
    let mut store = Store::new(&engine, ());
    // Nobody interrupts it; that code looks for interruptions is part of what Spin costs.
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = Instance::new(&mut store, &module, &[])?;
    Ok((store, instance))
}

fn run(store: &mut Store<()>, instance: &Instance, request: &Request) -> Result<f64> {
    let kernel = instance.get_func(&mut *store, &request.kernel);
    let kernel = kernel.ok_or_else(|| Error::msg("there is no such kernel"))?;
    let mut result = [wasmtime::Val::I32(0)];
    let start = Instant::now();
    kernel.call(store, &[request.rows.into(), request.rounds.into()], &mut result)?;
    Ok(start.elapsed().as_secs_f64())
}
