/** `npm run build:client [--out DIR]`: what package.json exports of the client, and /client.js. */
import process from "node:process";
import { buildClient, clientBuildFolder } from "./build-client.ts";

const [flag, folder] = process.argv.slice(2);
const out = flag === "--out" && folder !== undefined ? folder : clientBuildFolder;
for (const { name, gzippedBytes } of await buildClient(out)) {
  process.stdout.write(`${String(gzippedBytes).padStart(7)} bytes gzipped  ${name}\n`);
}
