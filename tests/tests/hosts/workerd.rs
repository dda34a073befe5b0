//! Cloudflare's runtime under test.

use std::path::Path;

use tempfile::TempDir;
pub use trireme_tests::workerd::{MODULE, Workerd};

use crate::host::Host;

/// Serves a model's folder or bundle, or the default model.
pub fn start(model: Option<&Path>) -> Host {
    serve(&Workerd { model, ..Workerd::default() })
}

/// Starts the runtime.
pub fn serve(workerd: &Workerd<'_>) -> Host {
    let folder = TempDir::new().unwrap();
    let (process, base) = workerd.start_in(folder.path()).unwrap();
    Host::new("workerd", base, (process, folder))
}

/// Bytes of the module's memory, as far as it has grown.
pub fn memory(host: &Host) -> u64 {
    host.get("/.memory").1.as_u64().unwrap()
}

/// Tells the worker that the request's time is nearly over, as Cloudflare does and `workerd` alone
/// does not.
pub fn near_the_limit(host: &Host) {
    assert_eq!(host.get("/.signal").0, 200);
}
