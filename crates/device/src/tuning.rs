//! The tiles that a GPU is fastest with: measured when it is first met, and remembered by the host.

use std::time::Duration;

#[cfg(feature = "gpu")]
use trireme_backend::{Backend, BackendError};
#[cfg(feature = "gpu")]
use trireme_gpu::Gpu;

/// A host's clock, and its memory of GPUs that were measured.
pub trait Tuning: Send + Sync {
    /// How late it is, from a beginning of its own.
    fn now(&self) -> Duration;

    /// What was remembered of a GPU of this name.
    fn recall(&self, gpu: &str) -> Option<String>;

    /// Remembers it. What can't be remembered is measured again.
    fn remember(&self, gpu: &str, tiles: &str);
}

/// The GPU, with the tiles that it is fastest with in its precision.
///
/// # Errors
/// What it fails with under measurement.
#[cfg(feature = "gpu")]
pub(crate) async fn tuned(gpu: Gpu, tuning: &dyn Tuning) -> Result<Gpu, BackendError> {
    let about = gpu.about();
    // A new driver compiles otherwise.
    let name = [&about.name, &about.driver, gpu.precision().name()].map(String::from).join(", ");
    let known = tuning.recall(&name).and_then(|tiles| gpu.clone().with_tiles(&tiles));
    if let Some(known) = known {
        return Ok(known);
    }
    let tuned = gpu.tuned(&|| tuning.now()).await?;
    tuning.remember(&name, &tuned.tiles());
    Ok(tuned)
}

#[cfg(test)]
#[cfg(feature = "gpu")]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use trireme_model::Precision;

    use super::*;

    #[derive(Default)]
    struct Memory {
        looks: AtomicU64,
        known: Mutex<BTreeMap<String, String>>,
    }

    impl Tuning for Memory {
        /// Every look comes later than the one before: no GPU is so slow that many rows are tried.
        fn now(&self) -> Duration {
            Duration::from_secs(self.looks.fetch_add(1, Relaxed).pow(2))
        }

        fn recall(&self, gpu: &str) -> Option<String> {
            self.known.lock().unwrap().get(gpu).cloned()
        }

        fn remember(&self, gpu: &str, tiles: &str) {
            self.known.lock().unwrap().insert(gpu.to_owned(), tiles.to_owned());
        }
    }

    #[test]
    fn a_gpu_is_measured_once_for_each_precision() {
        let gpu = pollster::block_on(Gpu::open()).unwrap();
        let memory = Memory::default();
        let met = |precision| {
            let before = memory.looks.load(Relaxed);
            let gpu = gpu.clone().with_precision(precision);
            let tuned = pollster::block_on(tuned(gpu, &memory)).unwrap();
            (tuned.tiles(), memory.looks.load(Relaxed) - before)
        };
        let (first, looks) = met(Precision::F32);
        assert!(looks > 0, "it was not measured");
        assert_eq!(met(Precision::F32), (first, 0), "met again");
        assert!(met(Precision::Int8).1 > 0, "bytes were not measured");
        // What an older version remembered, and this one does not know.
        for tiles in memory.known.lock().unwrap().values_mut() {
            "1x2x3x4 5x6x7x8".clone_into(tiles);
        }
        assert!(met(Precision::F32).1 > 0, "unknown tiles were taken");
    }
}
