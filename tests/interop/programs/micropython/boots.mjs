// Boots a device twice, as MicroPython compiled to WebAssembly runs it, and prints what it had in its
// file at the end: `node boots.mjs MICROPYTHON DEVICE.PY URL`. Its `requests` is ours, since that
// MicroPython has no sockets: the same call, carried out by a process of Node. As the real one it sends
// a text with the length of its characters, which is wrong for any but ASCII, so it wants bytes.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, device, url] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(module).href);
const stateFile = "/millrace.json";

const requests = `
import bridge
from json import dumps, loads
class Answer:
    def __init__(self, status, text):
        self.status_code, self.text = status, text
def post(url, data=None, json=None, headers={}, timeout=None):
    assert isinstance(data, bytes) and timeout
    status, text = loads(bridge.post(url, data.decode(), dumps(headers)))
    if status == 0:
        raise OSError(text)
    return Answer(status, text)
`;

const post = `
const [url, body, headers] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
fetch(url, { method: "POST", body, headers: JSON.parse(headers) })
  .then(async (answer) => console.log(JSON.stringify([answer.status, await answer.text()])));
`;

/** Runs the device's own functions; `losesAnswers`: every request arrives and no answer does. */
async function boot(state, readings, losesAnswers) {
  const micropython = await loadMicroPython({
    stdout: (line) => process.stderr.write(`${line}\n`),
  });
  const { FS } = micropython;
  FS.chdir("/");
  FS.writeFile("/device.py", readFileSync(device));
  FS.writeFile("/requests.py", requests);
  if (state !== undefined) FS.writeFile(stateFile, state);
  micropython.registerJsModule("bridge", {
    post(...request) {
      const input = JSON.stringify(request);
      const answer = execFileSync(process.execPath, ["-e", post], { input, encoding: "utf8" });
      return losesAnswers ? '[0, "lost"]' : answer;
    },
  });
  micropython.runPython(`
import sys
sys.path.append("/")
import device
device.URL = ${JSON.stringify(url)}
state = device.load()
state["waiting"] += [{"celsius": n} for n in ${JSON.stringify(readings)}]
device.save(state)
print(sys.implementation.name, device.send(state))
`);
  return FS.readFile(stateFile, { encoding: "utf8" });
}

const first = await boot(
  undefined,
  Array.from({ length: 30 }, (_, n) => n),
  true,
);
const second = await boot(first, [30, 31], false);
process.stdout.write(second);
