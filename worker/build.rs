//! Caps the module's memory. An isolate has 128 MB for everything; a module that grew past it
//! would be ended from outside, and this way it is ours to say that memory ran out.

/// Leaves 16 MiB for JavaScript and for the module's own bytes.
const LINEAR_MEMORY: usize = 112 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Only the worker itself, and only where it is a wasm module.
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={LINEAR_MEMORY}");
    }
}
