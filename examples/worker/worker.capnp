using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [
    (name = "worker.mjs", esModule = embed "worker.mjs"),
    (name = "out/digits.mjs", esModule = embed "out/digits.mjs"),
    (name = "out/digits.wasm", wasm = embed "out/digits.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
