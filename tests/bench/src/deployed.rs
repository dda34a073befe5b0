//! The models that hosts are measured with, as they would be deployed.

use std::fs;
use std::path::{Path, PathBuf};

use trireme_cpu::Precision;
use trireme_model::Bundle;
use trireme_tests::{minilm_dir, repo_root};

use crate::error::{Error, Result};
use crate::host::Place;
use crate::ours::checkpoint;

/// A model.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// The one that every host has inside: a bundle of bytes.
    Default,
    /// The real one: a folder in singles and in halves, a bundle of bytes in int8.
    MiniLm,
}

impl Model {
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "the default model",
            Self::MiniLm => "MiniLM-L6",
        }
    }

    /// Where it lies.
    pub fn path(self) -> PathBuf {
        match self {
            Self::Default => repo_root().join("models/default/default.trireme"),
            Self::MiniLm => minilm_dir(),
        }
    }

    /// Whether its weights are kept in what this takes.
    pub fn has(self, precision: Precision) -> bool {
        self == Self::MiniLm || precision == Precision::Int8
    }

    /// What a host is given, made below `out` where it has to be made; nothing where it has it.
    pub fn deployed(self, precision: Precision, out: &Path) -> Result<Option<PathBuf>> {
        match (self, precision) {
            (Self::Default, _) => Ok(None),
            (Self::MiniLm, Precision::Int8 | Precision::Int4) => {
                let path = out.join(format!("minilm-{}.trireme", precision.name()));
                // Anew each time: one of an earlier build would be measured for this one's.
                let kept = checkpoint(&self.path())?.quantized(precision)?;
                let bundle: Vec<u8> =
                    Bundle::new(&kept, None)?.pieces().flatten().copied().collect();
                fs::create_dir_all(out).map_err(Error::file(out))?;
                fs::write(&path, bundle).map_err(Error::file(&path))?;
                Ok(Some(path))
            }
            (Self::MiniLm, _) => Ok(Some(self.path())),
        }
    }

    /// Where Cloudflare's runtime has it: MiniLM in singles is more than Cloudflare's 128 MB hold.
    pub fn workerd(self, precision: Precision) -> Place {
        match (self, precision) {
            (Self::MiniLm, Precision::F32) => Place::WorkerdPastItsLimit,
            _ => Place::Workerd,
        }
    }
}
