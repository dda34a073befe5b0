//! candle-transformers' BERT as a peer of the benchmark: one JSON request a line, one JSON answer a
//! line.
//!
//! A request names a model's folder and batches, each a list of text lengths. A batch is padded to
//! its longest text and masked, as candle's own example does; a text alone has no mask. The answer
//! is the seconds that all of them took. `RAYON_NUM_THREADS` says on how many threads.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::{Device, Error, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config, DTYPE};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The one in `Cargo.toml`.
const VERSION: &str = "0.11.1";

/// What a request says; the rest of it is for other peers.
#[derive(Deserialize)]
struct Request {
    #[serde(rename = "graphs")]
    model: PathBuf,
    batches: Vec<Vec<usize>>,
}

/// What one batch hands to the model.
struct Feed {
    ids: Tensor,
    types: Tensor,
    mask: Option<Tensor>,
}

fn main() -> Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{}", json!({ "name": "candle", "version": VERSION }))?;
    let mut models = HashMap::new();
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?).map_err(Error::wrap)?;
        if !models.contains_key(&request.model) {
            models.insert(request.model.clone(), load(&request.model)?);
        }
        writeln!(out, "{}", answer(&models[&request.model], &request.batches)?)?;
    }
    Ok(())
}

fn load(folder: &Path) -> Result<BertModel> {
    let mut config: Map<String, Value> =
        serde_json::from_slice(&fs::read(folder.join("config.json"))?).map_err(Error::wrap)?;
    // Candle wants two numbers that only training needs.
    for name in ["hidden_dropout_prob", "initializer_range"] {
        config.entry(name).or_insert(json!(0.0));
    }
    let config: Config = serde_json::from_value(config.into()).map_err(Error::wrap)?;
    let weights = fs::read(folder.join("model.safetensors"))?;
    let weights = VarBuilder::from_buffered_safetensors(weights, DTYPE, &Device::Cpu)?;
    BertModel::load(weights, &config)
}

fn answer(model: &BertModel, batches: &[Vec<usize>]) -> Result<Value> {
    let feeds = batches.iter().map(|lengths| feed(lengths)).collect::<Result<Vec<_>>>()?;
    let mut rows = None;
    let start = Instant::now();
    for Feed { ids, types, mask } in &feeds {
        rows = Some(model.forward(ids, types, mask.as_ref())?);
    }
    let seconds = start.elapsed().as_secs_f64();
    let row = match rows {
        Some(rows) => rows.get(0)?.get(0)?.narrow(0, 0, 8)?.to_vec1::<f32>()?,
        None => Vec::new(),
    };
    Ok(json!({ "seconds": seconds, "row": row }))
}

fn feed(lengths: &[usize]) -> Result<Feed> {
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let shape = (lengths.len(), longest);
    let each = |value: fn(usize, bool) -> u32| {
        let row = |&length: &usize| (0..longest).map(move |at| value(at, at < length));
        Tensor::from_iter(lengths.iter().flat_map(row), &Device::Cpu)?.reshape(shape)
    };
    Ok(Feed {
        ids: each(|at, real| if real { 1000 + (at as u32 * 7919) % 20_000 } else { 0 })?,
        types: each(|_, _| 0)?,
        mask: (lengths.len() > 1).then(|| each(|_, real| u32::from(real))).transpose()?,
    })
}
