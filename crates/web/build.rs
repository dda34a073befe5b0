//! Caps the memory of a build that rehearses running out of it: four gigabytes of a shared
//! machine prove nothing more.

use std::env::var_os;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let wasm = var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|arch| arch == "wasm32");
    if wasm && var_os("CARGO_FEATURE_DRILL").is_some() {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={}", 128 << 20);
    }
}
