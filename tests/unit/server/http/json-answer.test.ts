import { expect, test } from "bun:test";
import { createHttpFixture } from "../../../support/http-fixture.ts";

const record = { method: "POST", body: "hello", headers: { "Content-Type": "text/plain" } };

test.each([
  ["an append", "/v1/topics/t/records", record],
  ["a read of a partition", "/v1/topics/t/partitions/0/records?offset=0", {}],
  ["a read of a topic", "/v1/topics/t/records", {}],
  ["a list", "/v1/topics", {}],
  ["a group", "/v1/groups/g/poll", { method: "POST", json: { topics: ["t"] } }],
  ["health", "/healthz", {}],
  ["a problem", "/v1/topics/gone", {}],
])("the JSON of %s ends its line", async (_, path, request) => {
  const { ask } = createHttpFixture();
  await ask("/v1/topics", { method: "POST", json: { name: "t" } });
  expect((await ask("/v1/topics/t/records", record)).status).toBe(200);
  const text = await (await ask(path, request)).text();
  expect(text.indexOf("\n")).toBe(text.length - 1);
  expect(typeof JSON.parse(text)).toBe("object");
});
