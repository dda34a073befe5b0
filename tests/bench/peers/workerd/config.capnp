using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "roof", worker = .roof)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "roof")],
);

const roof :Workerd.Worker = (
  modules = [
    (name = "roof.mjs", esModule = embed "roof.mjs"),
    (name = "relaxed-simd.wasm", wasm = embed "relaxed-simd.wasm"),
    (name = "simd128.wasm", wasm = embed "simd128.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
