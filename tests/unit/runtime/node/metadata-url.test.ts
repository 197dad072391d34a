import { expect, test } from "bun:test";
import { parseMetadataUrl } from "../../../../src/runtime/node/metadata-url.ts";

test("parseMetadataUrl tells files from servers", () => {
  expect(parseMetadataUrl("file:m.db")).toEqual({ kind: "file", path: "m.db" });
  expect(parseMetadataUrl("file:///srv/m.db")).toEqual({ kind: "file", path: "/srv/m.db" });
  expect(parseMetadataUrl("memory:")).toEqual({ kind: "memory" });
  const url = "http://127.0.0.1:8081";
  expect(parseMetadataUrl(url)).toEqual({ kind: "server", url });
});

test("parseMetadataUrl refuses what names no database, and tokens within an address", () => {
  for (const wrong of ["file:", "file:dir/", "file://host/m.db", "https://", "m.db", "wss://x"]) {
    expect(parseMetadataUrl(wrong)).toBeUndefined();
  }
  expect(parseMetadataUrl("libsql://db.example?authToken=s")).toBeUndefined();
  expect(parseMetadataUrl("https://user:pass@db.example")).toBeUndefined();
});
