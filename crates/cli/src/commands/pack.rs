//! `trireme pack`

use std::path::PathBuf;

use serde_json::json;
use trireme_domain::{Code, Fault};
use trireme_model::Bundle;
use trireme_model::weights::Dtype;
use trireme_server::{ModelSettings, checkpoint, replace};
use trireme_service::from_model;

use crate::args::{Pack, Store};
use crate::output::Output;

pub async fn run(args: Pack, settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    let store = match args.store {
        Store::Keep => None,
        Store::F16 => Some(Dtype::F16),
        Store::F32 => Some(Dtype::F32),
    };
    let bundle = Bundle::new(&checkpoint(settings).await?, store).map_err(|e| from_model(&e))?;
    let digest = bundle.digest();
    let short = digest.get(..16).unwrap_or(&digest);
    let path = args.output.unwrap_or_else(|| PathBuf::from(format!("{short}.trireme")));
    replace(&path, bundle.pieces()).map_err(|e| {
        Fault::new(Code::Unwritable, format!("could not write {}: {e}", path.display()))
    })?;
    let bytes: usize = bundle.pieces().map(<[u8]>::len).sum();
    let shown = path.display().to_string();
    match output.json {
        true => output.json(&json!({ "file": shown, "bytes": bytes, "digest": digest })),
        false => output.result(&format!("{shown}: {bytes} bytes, digest {digest}")),
    }
}
