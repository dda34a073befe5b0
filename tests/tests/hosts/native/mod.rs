//! The native host: its routes over a real socket, and its compute thread under bad luck.

mod accidents;
mod answers;
mod asked;
mod card;
mod clients;
mod clients_at_fault;
mod documented;
mod gate;
mod opening;
mod pages;
mod poison;
mod quality;
mod reading;
mod running;
mod talk;
mod tei;
mod threads;

use std::path::Path;

use trireme_server::{Hosting, ModelSettings};

use crate::host::Host;
use running::{Running, settings};

/// Serves a model folder, or the default model.
pub fn start(model: Option<&Path>) -> Host {
    with(model, |_| {})
}

/// The same with other settings.
pub fn with(model: Option<&Path>, change: impl FnOnce(&mut ModelSettings)) -> Host {
    let mut settings = settings(model.map(|folder| folder.display().to_string()));
    change(&mut settings);
    host(Running::with(settings, |_| {}))
}

/// The default model, met in another way.
pub fn hosted(change: impl FnOnce(&mut Hosting)) -> Host {
    host(Running::with(settings(None), change))
}

fn host(running: Running) -> Host {
    Host::new("native", format!("http://{}", running.address), running)
}
