//! Cloudflare's runtime, over what `cargo xtask build` made of the worker.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Process, built_host, repo_root, wasm};

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
    /// Starts the runtime on files that it lays out in this folder; returns where it answers, too.
    /// The system chooses the port.
    ///
    /// # Errors
    /// The folder can't be written, the worker was not built, or the runtime does not start.
    pub fn start_in(&self, folder: &Path) -> io::Result<(Process, String)> {
        self.lay_out(folder)?;
        serve(folder)
    }

    /// Everything that the runtime reads, in one folder.
    fn lay_out(&self, folder: &Path) -> io::Result<()> {
        let built = built_host(self.build);
        fs::create_dir_all(folder.join("build"))?;
        for name in ["entry.mjs", "build/index.js"] {
            fs::copy(built.join(name), folder.join(name))?;
        }
        let module = fs::read(built.join(MODULE))?;
        let module = if self.deployable { module } else { wasm::uncapped(&module) };
        fs::write(folder.join(MODULE), module)?;
        fs::write(folder.join("watch.mjs"), WATCH)?;
        fs::write(folder.join("main.mjs"), MAIN)?;
        fs::create_dir_all(folder.join("no-assets"))?;
        fs::write(folder.join("config.capnp"), self.config()?)
    }

    fn config(&self) -> io::Result<String> {
        let folder = self.model.and_then(Path::parent).map(fs::canonicalize).transpose()?;
        let folder = folder.unwrap_or_else(|| PathBuf::from("no-assets"));
        let assets = match self.server {
            None => format!("disk = (path = {folder:?})"),
            Some(address) => format!("external = (address = \"{address}\", http = ())"),
        };
        let name = self.model.and_then(Path::file_name).map(|name| name.to_string_lossy());
        let variable = |name: &str, text: &str| format!("(name = {name:?}, text = {text:?}),");
        let model = name.map(|name| variable("TRIREME_MODEL", &name)).unwrap_or_default();
        let variables = model + &variable("TRIREME_PRECISION", self.precision);
        Ok(CONFIG
            .replace("{assets}", &assets)
            .replace("{variables}", &variables)
            .replace("{date}", &compatibility_date()?))
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

/// Starts the runtime on the `config.capnp` in this folder; returns where it answers, too.
///
/// # Errors
/// It is not here, or does not start.
pub fn serve(folder: &Path) -> io::Result<(Process, String)> {
    let workerd = std::env::var_os("WORKERD_BIN")
        .ok_or_else(|| io::Error::other("no WORKERD_BIN; run this through `cargo xtask`"))?;
    let mut command = Command::new(workerd);
    command.args(["serve", "config.capnp", "--control-fd=1"]).current_dir(folder);
    // An accident fills pages with its stack; who wants to read them finds them here.
    command.stderr(fs::File::create(folder.join("log"))?);
    Process::until(&mut command, |line| Some(format!("http://127.0.0.1:{}", port(line)?)))
}

/// The port in what the runtime says of its sockets.
fn port(event: &str) -> Option<u16> {
    let (_, port) = event.split_once("\"port\":")?;
    port.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What is deployed and what is tested must run under the same rules.
fn compatibility_date() -> io::Result<String> {
    let settings = fs::read_to_string(repo_root().join("wrangler.toml"))?;
    let date = settings.lines().find_map(|line| line.strip_prefix("compatibility_date = "));
    let missing = || io::Error::other("wrangler.toml names no compatibility_date");
    Ok(date.ok_or_else(missing)?.trim_matches('"').to_owned())
}

#[test]
fn a_port_is_found() {
    assert_eq!(port(r#"{"event":"listen","socket":"http","port":8081}"#), Some(8081));
    assert_eq!(port("{}"), None);
    assert!(compatibility_date().is_ok_and(|date| date.starts_with("20")));
}
