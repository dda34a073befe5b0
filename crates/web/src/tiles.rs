//! What was measured of GPUs, in a map that JavaScript keeps.

use std::time::Duration;

use js_sys::Map;
use send_wrapper::SendWrapper;
use trireme_device::Tuning;
use trireme_service::ports::Clock as _;

use crate::host::Performance;

/// Tiles by what a GPU is called.
pub struct Tiles(SendWrapper<Map>);

impl Tiles {
    /// Those of this map.
    pub fn kept_in(map: Map) -> Self {
        Self(SendWrapper::new(map))
    }
}

impl Tuning for Tiles {
    fn now(&self) -> Duration {
        Performance.now()
    }

    fn recall(&self, gpu: &str) -> Option<String> {
        self.0.get(&gpu.into()).as_string()
    }

    fn remember(&self, gpu: &str, tiles: &str) {
        self.0.set(&gpu.into(), &tiles.into());
    }
}
