# workerd as a Kafka port: each TCP connection is carried to a Millrace worker's /kafka.
#   MILLRACE_URL=https://millrace.example MILLRACE_TOKEN=… ADVERTISED=127.0.0.1:9092 \
#     workerd serve deploy/workerd/config.capnp
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "kafka-port", worker = .kafkaPort),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "kafka", address = "127.0.0.1:9092", tcp = (), service = "kafka-port")],
);

const kafkaPort :Workerd.Worker = (
  modules = [(name = "kafka-port.js", esModule = embed "kafka-port.js")],
  compatibilityDate = "2026-10-01",
  bindings = [
    (name = "MILLRACE_URL", fromEnvironment = "MILLRACE_URL"),
    (name = "MILLRACE_TOKEN", fromEnvironment = "MILLRACE_TOKEN"),
    (name = "ADVERTISED", fromEnvironment = "ADVERTISED"),
  ],
);
