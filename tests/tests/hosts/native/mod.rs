//! The native host: its routes over a real socket, and its compute thread under bad luck.

mod answers;
mod opening;
mod quality;
mod running;
mod threads;

use std::path::Path;

use crate::host::Host;
use running::{Running, settings};

/// Serves a model folder, or the default model.
pub fn start(model: Option<&Path>) -> Host {
    let running = Running::with(settings(model.map(|folder| folder.display().to_string())));
    Host::new("native", format!("http://{}", running.address), running)
}
