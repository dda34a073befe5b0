//! What was measured of GPUs, in a file of the cache.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use trireme_device::Tuning;

use crate::durable::replace;

/// A file of names and tiles. What is no such file is as good as none, and written anew.
pub(crate) struct Tiles {
    path: PathBuf,
    begun: Instant,
}

impl Tiles {
    pub fn kept_in(path: PathBuf) -> Self {
        Self { path, begun: Instant::now() }
    }

    fn known(&self) -> BTreeMap<String, String> {
        let file = std::fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&file).unwrap_or_default()
    }
}

impl Tuning for Tiles {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn recall(&self, gpu: &str) -> Option<String> {
        self.known().remove(gpu)
    }

    fn remember(&self, gpu: &str, tiles: &str) {
        let mut known = self.known();
        known.insert(gpu.to_owned(), tiles.to_owned());
        let file = serde_json::to_vec_pretty(&known).unwrap_or_default();
        let folder = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = folder.and_then(|()| replace(&self.path, [&*file])) {
            tracing::warn!(%error, path = %self.path.display(), "a GPU will be measured again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_outlives_the_process_and_a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/gpu.json");
        let tiles = || Tiles::kept_in(path.clone());
        assert_eq!(tiles().recall("A"), None);
        tiles().remember("A", "1x1");
        tiles().remember("B", "2x2");
        assert_eq!(tiles().recall("A").as_deref(), Some("1x1"));
        assert_eq!(tiles().recall("B").as_deref(), Some("2x2"));
        std::fs::write(&path, "{\"A\": 7").unwrap();
        assert_eq!(tiles().recall("A"), None);
        tiles().remember("C", "3x3");
        assert_eq!(tiles().recall("C").as_deref(), Some("3x3"));
    }
}
