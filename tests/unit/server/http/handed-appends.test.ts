import { describe, expect, test } from "bun:test";
import { createHttpSurface } from "../../../../src/server/http/app.ts";
import { topicOfAppend } from "../../../../src/server/http/handed-appends.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";

const url = "https://log.example/v1/topics/orders/records";
const token = "the server's";
const utf8 = new TextEncoder();

const cases: readonly [
  what: string,
  headers: Record<string, string>,
  body: string,
  query?: string,
][] = [
  ["a record", { "Content-Type": "text/plain" }, "one"],
  ["records with places", { "Content-Type": "application/json" }, '{"records":[{"value":1}]}'],
  ["a page of a listed origin", { "Content-Type": "text/plain", Origin: "https://a.example" }, "x"],
  ["a page of another", { "Content-Type": "text/plain", Origin: "https://b.example" }, "x"],
  ["a body that is no JSON", { "Content-Type": "application/json" }, "{"],
  ["a type that is not taken", { "Content-Type": "image/png" }, "x"],
  [
    "an encoding that it is not in",
    { "Content-Type": "text/plain", "Content-Encoding": "gzip" },
    "x",
  ],
  ["a wrong token", { "Content-Type": "text/plain", Authorization: "Bearer wrong" }, "x"],
  ["half a producer", { "Content-Type": "text/plain", "Producer-Id": "till" }, "x"],
  ["a key in the query", { "Content-Type": "text/plain" }, "x", "?key=a"],
  ["a query that is unknown", { "Content-Type": "text/plain" }, "x", "?colour=red"],
];

/** The answer to a request, or to the same handed over, of a server of its own. */
async function answersTo(headers: Record<string, string>, body: string, target: string) {
  const ask = async (isHanded: boolean) => {
    const { app, appends, create } = await surface();
    await create("orders");
    const all = new Headers({ Authorization: `Bearer ${token}`, Host: "log.example", ...headers });
    all.set("Content-Length", String(body.length));
    if (isHanded) {
      const handed = { method: "POST", url: target, headers: all, handedBody: utf8.encode(body) };
      const answer = await appends.answer(handed);
      return { ...answer, headers: Object.fromEntries(new Headers([...answer.headers])) };
    }
    const answer = await app.fetch(new Request(target, { method: "POST", headers: all, body }));
    const { status } = answer;
    return { status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
  };
  return { asked: await ask(false), handed: await ask(true) };
}

async function surface() {
  const { context } = createHttpFixture({
    settings: { token, isLoopback: false, origins: ["https://a.example"] },
  });
  const { app, appends } = createHttpSurface(context);
  const create = (name: string) =>
    app.fetch(
      new Request("https://log.example/v1/topics", {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: JSON.stringify({ name, partitions: 1 }),
      }),
    );
  return { app, appends, create };
}

describe("HandedAppends", () => {
  test.each([...cases])("%s is answered as a request is", async (_, headers, body, query = "") => {
    const { asked, handed } = await answersTo(headers, body, `${url}${query}`);
    expect(handed).toEqual(asked);
  });

  test("a repeat is known whichever way it came first", async () => {
    const { app, appends, create } = await surface();
    await create("orders");
    const headers = {
      ...{ Authorization: `Bearer ${token}`, "Content-Type": "text/plain" },
      ...{ "Producer-Id": "till", "Producer-Epoch": "0", "Producer-Seq": "0" },
    };
    const first = await app.fetch(new Request(url, { method: "POST", headers, body: "sold" }));
    const again = await appends.answer({
      ...{ method: "POST", url, headers: new Headers(headers), handedBody: utf8.encode("sold") },
    });
    expect(again.text).toBe(await first.text());
  });

  test("appends are counted with those of requests", async () => {
    const { app, appends, create } = await surface();
    await create("orders");
    const headers = new Headers({ Authorization: `Bearer ${token}`, "Content-Type": "text/plain" });
    const handedBody = utf8.encode("one");
    await appends.answer({ method: "POST", url, headers, handedBody });
    const asked = new Request("https://log.example/metrics", { headers });
    const metrics = await (await app.fetch(asked)).text();
    expect(metrics).toContain('millrace_http_requests_total{route="produce",status="200"} 1');
  });
});

describe("topicOfAppend", () => {
  test("knows the one path of appends", () => {
    expect(topicOfAppend(url)).toBe("orders");
    expect(topicOfAppend(`${url}?key=a/b`)).toBe("orders");
    for (const other of [`${url}/0`, "https://log.example/v1/topics/orders", `${url}x`]) {
      expect(topicOfAppend(other)).toBeUndefined();
    }
  });
});
