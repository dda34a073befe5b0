//! Imports the module's memory: the package makes it, so that a caller may set its limit. A build that
//! rehearses running out of memory has a limit of its own: four gigabytes of a shared machine prove
//! nothing more.

use std::env::var_os;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if var_os("CARGO_CFG_TARGET_ARCH").is_none_or(|arch| arch != "wasm32") {
        return;
    }
    println!("cargo::rustc-link-arg-cdylib=--import-memory");
    if var_os("CARGO_FEATURE_DRILL").is_some() {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={}", 128 << 20);
    }
}
