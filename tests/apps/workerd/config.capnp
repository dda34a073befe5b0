using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "main.mjs", esModule = embed "dist/main.mjs"),
    (name = "engine-relaxed/trireme_bg.wasm", wasm = embed "trireme/engine-relaxed/trireme_bg.wasm"),
    (name = "models/default/default.bin", data = embed "trireme/models/default/default.bin"),
  ],
  compatibilityDate = "2026-04-01",
);
