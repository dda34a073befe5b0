//! Cloudflare's runtime, over what `cargo xtask build` made of the worker.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use trireme_tests::built_host;

use crate::host::{Host, Process};
use crate::wasm;

/// How a worker is run.
pub struct Workerd<'a> {
    /// What was built: `worker`, or with accidents to rehearse `worker-drill`.
    pub build: &'a str,
    /// A model's folder or bundle, served as an asset; the default model is in the module.
    pub model: Option<&'a Path>,
    /// What serves the assets in place of the model's folder.
    pub server: Option<SocketAddr>,
    /// The numbers to compute in; nothing means the usual ones.
    pub precision: &'a str,
    /// Whether memory ends where Cloudflare's does. Without that, no answer says anything about
    /// what can be deployed.
    pub deployable: bool,
}

impl Default for Workerd<'_> {
    fn default() -> Self {
        Self { build: "worker", model: None, server: None, precision: "", deployable: true }
    }
}

/// Serves a model's folder or bundle, or the default model.
pub fn start(model: Option<&Path>) -> Host {
    Workerd { model, ..Workerd::default() }.start()
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

/// Sees the instance, which the built script keeps to itself.
const WATCH: &str = "\
const Instance = WebAssembly.Instance;
WebAssembly.Instance = class extends Instance {
  constructor(...given) {
    super(...given);
    globalThis.instance = this.exports;
  }
};";

/// Answers the tests' own questions, and hands all others on. Signals are numbers that the runtime
/// writes where the module says; this one is POSIX's for too much computing.
const MAIN: &str = r#"
import "./watch.mjs";
import worker from "./entry.mjs";
const SIGXCPU = 24;
const own = {
  "/.memory": () => instance.memory.buffer.byteLength,
  "/.signal": () =>
    new DataView(instance.memory.buffer).setUint32(instance.__instance_signal, SIGXCPU, true) ?? 0,
};
export default {
  fetch(request, ...rest) {
    const answer = own[new URL(request.url).pathname];
    return answer ? Response.json(answer()) : worker.fetch(request, ...rest);
  },
};"#;

/// Where the module is in what was built.
pub const MODULE: &str = "build/index_bg.wasm";

impl Workerd<'_> {
    /// Starts the runtime; the system chooses the port.
    pub fn start(&self) -> Host {
        let folder = self.lay_out();
        let workerd = std::env::var_os("WORKERD_BIN")
            .expect("no WORKERD_BIN; run this through `cargo xtask check`");
        let mut command = Command::new(workerd);
        command.args(["serve", "config.capnp", "--control-fd=1"]).current_dir(folder.path());
        // An accident fills pages with its stack; who wants to read them finds them here.
        command.stderr(fs::File::create(folder.path().join("log")).unwrap());
        let (process, base) = Process::until(&mut command, |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            Some(format!("http://127.0.0.1:{}", event["port"].as_u64()?))
        });
        Host::new("workerd", base, (process, folder))
    }

    /// Everything that the runtime reads, in one folder.
    fn lay_out(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        let built = built_host(self.build);
        fs::create_dir(folder.path().join("build")).unwrap();
        for name in ["entry.mjs", "build/index.js"] {
            write(name, &fs::read(built.join(name)).unwrap());
        }
        let module = fs::read(built.join(MODULE)).unwrap();
        write(MODULE, &if self.deployable { module } else { wasm::uncapped(&module) });
        write("watch.mjs", WATCH.as_bytes());
        write("main.mjs", MAIN.as_bytes());
        fs::create_dir(folder.path().join("no-assets")).unwrap();
        write("config.capnp", self.config().as_bytes());
        folder
    }

    fn config(&self) -> String {
        let folder = self.model.and_then(Path::parent);
        let folder = folder.map_or(PathBuf::from("no-assets"), |f| fs::canonicalize(f).unwrap());
        let assets = match self.server {
            None => format!("disk = (path = {folder:?})"),
            Some(address) => format!("external = (address = \"{address}\", http = ())"),
        };
        let name = self.model.and_then(Path::file_name).map(|name| name.to_str().unwrap());
        let variable = |name: &str, text: &str| format!("(name = {name:?}, text = {text:?}),");
        let model = name.map(|name| variable("TRIREME_MODEL", name)).unwrap_or_default();
        let variables = model + &variable("TRIREME_PRECISION", self.precision);
        CONFIG
            .replace("{assets}", &assets)
            .replace("{variables}", &variables)
            .replace("{date}", &compatibility_date())
    }
}

const CONFIG: &str = r#"
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker), (name = "assets", {assets})],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "main.mjs", esModule = embed "main.mjs"),
    (name = "watch.mjs", esModule = embed "watch.mjs"),
    (name = "entry.mjs", esModule = embed "entry.mjs"),
    (name = "build/index.js", esModule = embed "build/index.js"),
    (name = "build/index_bg.wasm", wasm = embed "build/index_bg.wasm"),
  ],
  compatibilityDate = "{date}",
  bindings = [(name = "ASSETS", service = "assets"), {variables}],
);
"#;

/// What is deployed and what is tested must run under the same rules.
fn compatibility_date() -> String {
    let path = trireme_tests::repo_root().join("wrangler.toml");
    let settings: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    settings["compatibility_date"].as_str().unwrap().to_owned()
}
