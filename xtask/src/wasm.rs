//! The Rust toolchain that compiles for wasm.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::process::{ask, command};
use crate::toolchain::{Toolchain, copy, host, lib, link, script};

/// For pages and workers.
pub const BROWSER: &str = "wasm32-unknown-unknown";

/// For Spin.
pub const COMPONENT: &str = "wasm32-wasip2";

/// What the web hosts are compiled with.
pub const WASM: Toolchain = Toolchain {
    name: "wasm",
    targets: &[BROWSER, COMPONENT],
    debian: &["wasi-libc"],
    beside_std: NO_THREADS,
    complete,
};

const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// Refuses threads: `std` asks a C library for them that is younger than Debian's, and there as
/// here no component can start one.
const NO_THREADS: &str = r#"#![no_std]
use core::ffi::{c_int, c_void};
const EAGAIN: c_int = 6;
#[unsafe(no_mangle)]
pub extern "C" fn pthread_create(
    _: *mut c_void, _: *const c_void, _: *const c_void, _: *mut c_void,
) -> c_int { EAGAIN }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_join(_: *mut c_void, _: *mut c_void) -> c_int { EAGAIN }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_detach(_: *mut c_void) -> c_int { EAGAIN }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_init(_: *mut c_void) -> c_int { 0 }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_setstacksize(_: *mut c_void, _: usize) -> c_int { 0 }
#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_destroy(_: *mut c_void) -> c_int { 0 }
"#;

/// Debian has no `rust-lld` and no `wasm-component-ld`; every toolchain of rustup's has both. And
/// its C library lies elsewhere.
fn complete(sysroot: &Path) -> Result<()> {
    let missing = || Error::Verdict("`rustc` does not say where it keeps its linkers".to_owned());
    let rustup = ask(command("rustc").args(["--print", "sysroot"])).ok_or_else(missing)?;
    let linkers = Path::new("lib/rustlib").join(host()?).join("bin");
    let (theirs, ours) = (Path::new(&rustup).join(&linkers), sysroot.join(&linkers));
    fs::create_dir_all(&ours).map_err(Error::file(&ours))?;
    link(&theirs.join("rust-lld"), &ours.join("rust-lld"))?;
    script(
        &ours.join("wasm-component-ld"),
        &format!(
            "'{}' \"$@\" '{}'/libbeside_std-*.rlib",
            theirs.join("wasm-component-ld").display(),
            lib(sysroot, COMPONENT).display()
        ),
    )?;
    let own = lib(sysroot, COMPONENT).join("self-contained");
    copy(Path::new(DEBIAN_WASI_LIBC), &own, &["a", "o"])
}
