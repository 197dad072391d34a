/** `/client.js`: all of the client in one file, for `<script type="module">` without a bundler. */
// biome-ignore-all lint/performance/noBarrelFile: what a script exports stands in one file.
export * from "./arrow.ts";
export * from "./client.ts";
export * from "./sql-entry.ts";
