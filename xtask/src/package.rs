//! The npm package and the site that imports it.
//!
//! A browser refuses a whole module for one instruction that it lacks, and a memory that workers
//! share wants a page that is cut off from others. So the package holds an engine for each case, and
//! chooses when it is loaded.

use std::path::{Path, PathBuf};
use std::thread;

use trireme_tests::{repo_root, target_dir};

use crate::error::{Error, Result};
use crate::install::quietly;
use crate::process::command;
use crate::toolchain::Toolchain;
use crate::tools::{self, WASM_BINDGEN, npm};
use crate::wasm::{BROWSER, BROWSER_RUSTFLAGS, WASM, WASM_THREADS, build_of, module_in};

/// A build of the engine.
struct Engine {
    /// Its folder in the package.
    name: &'static str,
    /// Its folder among the build products: other flags are another one.
    built_in: &'static str,
    toolchain: &'static Toolchain,
    rustflags: &'static [&'static str],
    /// What cargo is told besides.
    options: &'static [&'static str],
    /// Whether crates may use what is not stable.
    unstable: bool,
    /// What `wasm-opt` is told besides [`FEATURES`].
    wasm_opt: &'static [&'static str],
}

const ENGINES: [Engine; 3] = [
    Engine {
        name: "engine",
        built_in: "",
        toolchain: &WASM,
        rustflags: &[],
        options: &[],
        unstable: false,
        wasm_opt: &[],
    },
    Engine {
        name: "engine-relaxed",
        built_in: "relaxed",
        toolchain: &WASM,
        rustflags: &["-Ctarget-feature=+relaxed-simd"],
        options: &[],
        unstable: false,
        wasm_opt: &["--enable-relaxed-simd"],
    },
    Engine {
        name: "engine-threads",
        built_in: "threads",
        toolchain: &WASM_THREADS,
        rustflags: &[
            "-Ctarget-feature=+relaxed-simd,+atomics",
            "-Clink-arg=--shared-memory",
            // A shared memory has to name its most: as much as any module can have.
            "-Clink-arg=--max-memory=4294967296",
            "-Clink-arg=--export=__wasm_init_tls",
            "-Clink-arg=--export=__tls_size",
            "-Clink-arg=--export=__tls_align",
            "-Clink-arg=--export=__tls_base",
        ],
        // A GPU's objects belong to one worker.
        options: &["--no-default-features"],
        // A stable compiler hides from a crate that it is compiled with atomics. JavaScript's
        // bindings must know: what they keep for one thread would be shared by all.
        unstable: true,
        wasm_opt: &["--enable-relaxed-simd", "--enable-threads"],
    },
];

/// What `rustc` emits for wasm, and no more: a browser refuses a module for one unknown opcode.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// The site, and the package beside it: `trireme`, with the engines inside. While one engine is
/// optimised, which takes one core, the next is compiled.
pub fn package(folder: &Path, features: &[&str]) -> Result<()> {
    thread::scope(|scope| {
        let mut finishing = Vec::new();
        for engine in &ENGINES {
            let module = engine.compile(features)?;
            finishing.push(scope.spawn(move || engine.finish(&folder.join("trireme"), &module)));
        }
        let broke = |_| Error::Verdict("a thread of xtask broke".to_owned());
        finishing.into_iter().try_for_each(|engine| engine.join().map_err(broke)?)
    })?;
    let mut script = command("node");
    script.arg(repo_root().join("www/build.mjs")).arg(folder).envs(tools::environment());
    quietly("www/build.mjs", script)
}

impl Engine {
    /// What `rustc` makes of it.
    fn compile(&self, features: &[&str]) -> Result<PathBuf> {
        let built = target_dir().join(self.built_in);
        let mut build = build_of(self.toolchain, "trireme-web", BROWSER, features);
        build.args(self.options);
        build.env(BROWSER_RUSTFLAGS, self.rustflags.join(" ")).env("CARGO_TARGET_DIR", &built);
        if self.unstable {
            build.env("RUSTC_BOOTSTRAP", "1");
        }
        quietly("trireme-web", build)?;
        Ok(module_in(&built, "trireme-web", BROWSER))
    }

    /// The engine as a browser takes it, with the JavaScript around it.
    fn finish(&self, package: &Path, module: &Path) -> Result<()> {
        let folder = package.join(self.name);
        let mut bindgen = command(&WASM_BINDGEN.path().to_string_lossy());
        bindgen.args(["--target", "web", "--out-name", "trireme", "--out-dir"]).arg(&folder);
        // The package says where the module lies; a bundler would look for it beside the script.
        bindgen.arg("--omit-default-module-path");
        bindgen.arg(module);
        quietly("wasm-bindgen", bindgen)?;

        let module = folder.join("trireme_bg.wasm");
        let mut optimise = command(&npm("wasm-opt").to_string_lossy());
        optimise.arg("-O3").args(FEATURES).args(self.wasm_opt);
        optimise.arg(&module).arg("-o").arg(&module);
        quietly("wasm-opt", optimise)
    }
}
