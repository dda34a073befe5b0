//! The engine, configured as Spin configures it.

use std::path::Path;

use wasmtime::{Cache, CacheConfig, Config, Engine, Result};

/// An engine that keeps compiled code beside the program that it runs.
pub fn engine(program: &Path) -> Result<Engine> {
    let mut cache = CacheConfig::new();
    cache.with_directory(std::path::absolute(program)?.with_extension("compiled"));
    let mut config = Config::new();
    config.cache(Some(Cache::new(cache)?)).epoch_interruption(true);
    config.wasm_component_model_async(true);
    Engine::new(&config)
}
