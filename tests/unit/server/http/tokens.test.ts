import { describe, expect, test } from "bun:test";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";
import { codecs, crc32c } from "../../../support/record-tools.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const shop = "https://shop.example";
const secret = "the workers' secret";
const records = "/v1/topics/clicks/records";
const partition = "/v1/topics/clicks/partitions/0/records";
type Fields = Record<string, string>;
const server: Fields = { Authorization: `Bearer ${secret}` };
const bearer = (token: string): Fields => ({ Authorization: `Bearer ${token}` });

/** A server with a secret, and the topics clicks and orders. Time passes while it is asked. */
async function fixture() {
  const platform = createVirtualPlatform({ seed: 1, codecs, crc32c });
  const still = createHttpFixture({ platform, settings: { token: secret, isLoopback: false } });
  const ask: HttpFixture["ask"] = async (path, request) => {
    let isAnswered = false;
    const answer = still.ask(path, request).finally(() => {
      isAnswered = true;
    });
    while (!isAnswered) await platform.advance(1);
    return answer;
  };
  const made = { ...still, ask };
  for (const name of ["clicks", "orders"]) {
    await made.ask("/v1/topics", { method: "POST", json: { name }, headers: server });
  }
  return { ...made, platform };
}

async function newToken(
  { ask }: HttpFixture,
  wanted: object = {},
): Promise<{ token: string; tokenId: string }> {
  const json = { topics: ["clicks"], operations: ["write"], ...wanted };
  const answer = await ask("/v1/tokens", { method: "POST", json, headers: server });
  expect(answer.status).toBe(201);
  return (await answer.json()) as { token: string; tokenId: string };
}

async function send({ ask }: HttpFixture, headers: Fields, path = records, body = "click") {
  const type = { "Content-Type": "text/plain" };
  const answer = await ask(path, { method: "POST", body, headers: { ...type, ...headers } });
  const { code } = (await answer.json()) as { code?: string };
  return { status: answer.status, code, headers: answer.headers };
}

describe("access tokens", () => {
  test("let append to their topic, and do nothing else", async () => {
    const made = await fixture();
    const { token } = await newToken(made);
    expect(await send(made, bearer(token))).toMatchObject({ status: 200 });
    const other = await send(made, bearer(token), "/v1/topics/orders/records");
    expect(other).toMatchObject({ status: 403, code: "unauthorized" });
    for (const path of [partition, "/v1/topics/clicks/stream", "/v1/topics", "/v1/tokens"]) {
      const answer = await made.ask(path, { headers: bearer(token) });
      expect([path, answer.status]).toEqual([path, 403]);
    }
  });

  test("let read where they are for that", async () => {
    const made = await fixture();
    const { token } = await newToken(made, { operations: ["read"] });
    expect((await made.ask(partition, { headers: bearer(token) })).status).toBe(200);
    expect(await send(made, bearer(token))).toMatchObject({ status: 403 });
  });

  test("are told once, and listed without their secret", async () => {
    const made = await fixture();
    const wanted = { origins: [shop], recordsPerSecondMax: 100, ttlMs: 1000 };
    const { token, tokenId } = await newToken(made, wanted);
    const text = await (await made.ask("/v1/tokens", { headers: server })).text();
    expect(text).not.toContain(token.split("_").at(-1) ?? "");
    const [listed] = JSON.parse(text).tokens;
    expect(listed).toMatchObject({ tokenId, topics: ["clicks"], operations: ["write"] });
    expect(listed).toMatchObject({ origins: [shop], recordsPerSecondMax: 100 });
    expect(listed.expiresAt - listed.createdAt).toBe(1000);
  });

  test("are of pages alone where they name any", async () => {
    const made = await fixture();
    const { token } = await newToken(made, { origins: [shop] });
    const good = await send(made, { ...bearer(token), Origin: shop });
    expect(good.status).toBe(200);
    expect(good.headers.get("Access-Control-Allow-Origin")).toBe(shop);
    for (const headers of [
      {},
      { Origin: "null" },
      { Origin: "https://evil.example" },
    ] as Fields[]) {
      const answer = await send(made, { ...bearer(token), ...headers });
      expect(answer).toMatchObject({ status: 403, code: "origin_denied" });
      expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
    }
  });

  test("without pages of their own add none", async () => {
    const made = await fixture();
    const { token } = await newToken(made);
    const answer = await send(made, { ...bearer(token), Origin: shop });
    expect(answer).toMatchObject({ status: 403, code: "origin_denied" });
  });

  test("end, and are revoked", async () => {
    const made = await fixture();
    const brief = await newToken(made, { ttlMs: 60_000, origins: [shop] });
    const headers = { ...bearer(brief.token), Origin: shop };
    expect((await send(made, headers)).status).toBe(200);
    await made.platform.advance(60_000);
    const late = await send(made, headers);
    expect(late).toMatchObject({ status: 401, code: "unauthenticated" });
    // The page may see why.
    expect(late.headers.get("Access-Control-Allow-Origin")).toBe(shop);
    const { token, tokenId } = await newToken(made);
    const revoke = () => made.ask(`/v1/tokens/${tokenId}`, { method: "DELETE", headers: server });
    expect((await send(made, bearer(token))).status).toBe(200);
    expect((await revoke()).status).toBe(204);
    expect(await send(made, bearer(token))).toMatchObject({ status: 401, code: "unauthenticated" });
    expect((await revoke()).status).toBe(404);
  });

  test("that are cut off, misspelt or unknown are 401", async () => {
    const made = await fixture();
    const { token } = await newToken(made);
    const wrong = [
      ...[token.slice(0, -1), `${token}A`, "mrt_", token.toUpperCase().replace("MRT", "mrt")],
      `mrt_${"0".repeat(16)}_${token.slice(-43)}`,
      `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
    ];
    for (const text of wrong) {
      for (const [path, headers] of [
        [records, bearer(text)],
        [`${records}?token=${text}`, {}],
      ] as const) {
        const answer = await send(made, headers, path);
        expect([text, answer.status]).toEqual([text, 401]);
      }
    }
  });

  test("stand in the query of appends alone", async () => {
    const made = await fixture();
    const { token } = await newToken(made, { operations: ["read", "write"] });
    expect((await send(made, {}, `${records}?token=${token}&key=k`)).status).toBe(200);
    const json = { "Content-Type": "application/json" };
    const body = '{"records":[{"value":1}]}';
    expect((await send(made, json, `${records}?token=${token}`, body)).status).toBe(200);
    for (const path of [partition, "/v1/topics/clicks/stream", "/v1/topics"]) {
      expect((await made.ask(`${path}?token=${token}`)).status).toBe(401);
    }
    for (const headers of [
      { Authorization: `Basic ${btoa(`x:${token}`)}` },
      { Cookie: `token=${token}` },
      // Among protocols it stands for WebSockets alone.
      { "Sec-WebSocket-Protocol": `millrace, ${token}` },
    ] as Fields[]) {
      expect((await send(made, headers)).status).toBe(401);
    }
  });

  test("over their rate are 429, and told when to come again", async () => {
    const made = await fixture();
    const { token } = await newToken(made, { recordsPerSecondMax: 2 });
    const lines = (count: number) =>
      send(made, bearer(token), records, Array.from({ length: count }, () => "x").join("\n"));
    expect((await lines(19)).status).toBe(200);
    const over = await lines(9);
    expect(over).toMatchObject({ status: 429, code: "rate_exceeded" });
    expect(over.headers.get("Retry-After")).toBe("4");
    expect((await lines(1)).status).toBe(200);
    expect((await lines(1)).status).toBe(429);
    await made.platform.advance(4_000);
    expect((await lines(8)).status).toBe(200);
    expect(await lines(21)).toMatchObject({ status: 429 });
    await made.platform.advance(4_000);
    expect(await lines(21)).toMatchObject({ status: 413 });
  });

  test("answer preflights of their pages for what they are good for", async () => {
    const made = await fixture();
    await newToken(made, { origins: [shop] });
    const preflight = async (path: string, method: string, origin = shop) => {
      const headers = { Origin: origin, "Access-Control-Request-Method": method };
      return made.ask(path, { method: "OPTIONS", headers });
    };
    const good = await preflight(records, "POST");
    expect(good.status).toBe(204);
    expect(good.headers.get("Access-Control-Allow-Origin")).toBe(shop);
    expect(good.headers.get("Access-Control-Allow-Methods")).toBe("POST, OPTIONS");
    expect(good.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
    for (const [path, method, origin] of [
      [partition, "GET", shop],
      ["/v1/topics/orders/records", "POST", shop],
      ["/v1/topics", "POST", shop],
      [records, "POST", "https://evil.example"],
    ] as const) {
      const answer = await preflight(path, method, origin);
      expect([path, origin, answer.status]).toEqual([path, origin, 403]);
      expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
    }
  });

  test("are checked as well where no secret is set", async () => {
    const made = createHttpFixture();
    await made.ask("/v1/topics", { method: "POST", json: { name: "clicks" } });
    const { token } = await newToken(made);
    expect((await send(made, bearer(token))).status).toBe(200);
    expect((await send(made, bearer(token.slice(1)))).status).toBe(200);
    expect((await send(made, bearer(token.slice(0, -1)))).status).toBe(401);
  });

  test("are made by who has the secret, for topics that exist", async () => {
    const made = await fixture();
    const { token } = await newToken(made);
    const make = async (json: object, headers: Fields) =>
      (await made.ask("/v1/tokens", { method: "POST", json, headers })).status;
    const good = { topics: ["clicks"], operations: ["write"] };
    expect(await make(good, {})).toBe(401);
    expect(await make(good, bearer(token))).toBe(403);
    expect(await make({ ...good, topics: ["clickz"] }, server)).toBe(404);
    for (const wrong of [
      { topics: [] },
      { operations: [] },
      { operations: ["delete"] },
      { origins: ["shop.example"] },
      { origins: [`${shop}/`] },
      { recordsPerSecondMax: 0 },
      { ttlMs: 0.5 },
      { ttl: 5 },
    ]) {
      expect([wrong, await make({ ...good, ...wrong }, server)]).toEqual([wrong, 400]);
    }
  });
});
