//! `trireme pack`

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use trireme_domain::{Code, Fault};
use trireme_model::Bundle;
use trireme_model::weights::Dtype;
use trireme_server::{ModelSettings, named_checkpoint, replace};
use trireme_service::from_model;

use crate::args::{Pack, Store};
use crate::output::Output;

pub async fn run(args: Pack, settings: &ModelSettings, output: Output) -> Result<(), Fault> {
    let store = match args.store {
        Store::Keep => None,
        Store::F16 => Some(Dtype::F16),
        Store::F32 => Some(Dtype::F32),
    };
    let checkpoint = named_checkpoint(settings).await?.checkpoint;
    let bundle = Bundle::new(&checkpoint, store).map_err(|e| from_model(&e))?;
    let written = write(&bundle, args.output)?;
    match output.json {
        true => output.json(&written),
        false => output.result(&written.to_string()),
    }
}

/// A bundle that was written.
#[derive(Serialize)]
pub struct Written {
    file: String,
    bytes: usize,
    digest: String,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} bytes, digest {}", self.file, self.bytes, self.digest)
    }
}

/// Writes a bundle to a file, or to one that is named by its digest.
pub fn write(bundle: &Bundle, file: Option<PathBuf>) -> Result<Written, Fault> {
    let digest = bundle.digest();
    let short = digest.get(..16).unwrap_or(&digest);
    let path = file.unwrap_or_else(|| PathBuf::from(format!("{short}.trireme")));
    replace(&path, bundle.pieces()).map_err(|e| {
        Fault::new(Code::Unwritable, format!("could not write {}: {e}", path.display()))
    })?;
    let bytes: usize = bundle.pieces().map(<[u8]>::len).sum();
    Ok(Written { file: path.display().to_string(), bytes, digest })
}
