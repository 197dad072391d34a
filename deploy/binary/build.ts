/** `npm run build:binary [-- FILE]`: the server and streamctl as one file that needs no other. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { buildBinary } from "./build-binary.ts";

const [given = join(import.meta.dir, "dist/millrace")] = process.argv.slice(2);
const outfile = resolve(given);
mkdirSync(dirname(outfile), { recursive: true });
await buildBinary(outfile);
const megabytes = (statSync(outfile).size / 1e6).toFixed(1);
process.stdout.write(`${megabytes} MB written to ${outfile}\n`);
