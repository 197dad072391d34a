import { describe, expect, test } from "bun:test";
import { createHttpFixture } from "../../../support/http-fixture.ts";

const listed = "https://app.example";
const body = { method: "POST", json: { name: "t" } } as const;

describe("guard", () => {
  test("asks for the token where one is set, except on probes and the description", async () => {
    const { ask } = createHttpFixture({ settings: { token: "s3cret" } });
    for (const path of ["/v1/topics", "/metrics", "/v1/cluster", "/nothing"]) {
      const response = await ask(path);
      expect(response.status).toBe(401);
      expect(response.headers.get("WWW-Authenticate")).toStartWith("Bearer");
    }
    for (const path of ["/healthz", "/readyz", "/openapi.json"]) {
      expect((await ask(path)).status).toBe(200);
    }
    const withToken = (token: string) =>
      ask("/v1/topics", { headers: { Authorization: `Bearer ${token}` } });
    expect((await withToken("s3cret")).status).toBe(200);
    for (const token of ["s3cre", "s3cretx", "S3cret", ""]) {
      expect((await withToken(token)).status).toBe(401);
    }
  });

  test("takes loopback names only on a loopback bind", async () => {
    const { ask } = createHttpFixture({ settings: { origins: [listed] } });
    const statusFor = async (host: string) =>
      (await ask("/v1/topics", { headers: { Host: host } })).status;
    for (const host of [
      "localhost:8080",
      "127.0.0.1",
      "[::1]:8080",
      "app.example",
      "a.localhost",
    ]) {
      expect(await statusFor(host), host).toBe(200);
    }
    for (const host of [
      "evil.example",
      "evil.example:8080",
      "127.0.0.1.evil.example",
      "10.0.0.1",
    ]) {
      expect(await statusFor(host), host).toBe(403);
    }
    const beyond = createHttpFixture({ settings: { isLoopback: false } });
    const response = await beyond.ask("/v1/topics", { headers: { Host: "log.example" } });
    expect(response.status).toBe(200);
  });

  test("takes writes of its own and of listed pages, refuses all others", async () => {
    const statusFor = async (headers: Record<string, string>) => {
      const { ask } = createHttpFixture({ settings: { origins: [listed] } });
      return (await ask("/v1/topics", { ...body, headers: { Host: "localhost:8080", ...headers } }))
        .status;
    };
    expect(await statusFor({})).toBe(201);
    expect(await statusFor({ Origin: listed })).toBe(201);
    expect(await statusFor({ Origin: "http://localhost:8080" })).toBe(201);
    for (const origin of [
      "https://evil.example",
      "null",
      "http://localhost:3000",
      "http://app.example",
    ]) {
      expect(await statusFor({ Origin: origin }), origin).toBe(403);
    }
    expect(await statusFor({ "Sec-Fetch-Site": "cross-site" })).toBe(403);
  });

  test("beyond loopback believes a name of its own only with a token", async () => {
    const headers = { Host: "log.example", Origin: "http://log.example" };
    const open = createHttpFixture({ settings: { isLoopback: false } });
    expect((await open.ask("/v1/topics", { ...body, headers })).status).toBe(403);
    const address = { Host: "10.0.0.1:8080", Origin: "http://10.0.0.1:8080" };
    expect((await open.ask("/v1/topics", { ...body, headers: address })).status).toBe(201);
    const closed = createHttpFixture({ settings: { isLoopback: false, token: "t" } });
    const withToken = { ...headers, Authorization: "Bearer t" };
    expect((await closed.ask("/v1/topics", { ...body, headers: withToken })).status).toBe(201);
  });

  test("gives CORS headers to listed origins only, on errors as well", async () => {
    const { ask } = createHttpFixture({ settings: { origins: [listed] } });
    const allowFor = async (origin: string, path: string) =>
      (await ask(path, { headers: { Origin: origin } })).headers.get("Access-Control-Allow-Origin");
    expect(await allowFor(listed, "/v1/topics")).toBe(listed);
    expect(await allowFor(listed, "/v1/topics/none")).toBe(listed);
    expect(await allowFor("https://evil.example", "/v1/topics")).toBeNull();
  });

  test("answers preflights of listed origins without a token", async () => {
    const { ask } = createHttpFixture({ settings: { origins: [listed], token: "t" } });
    const preflight = (origin: string) =>
      ask("/v1/topics/t/records", {
        method: "OPTIONS",
        headers: { Origin: origin, "Access-Control-Request-Method": "POST" },
      });
    const response = await preflight(listed);
    expect(response.status).toBe(204);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe(listed);
    expect(response.headers.get("Access-Control-Allow-Methods")).toContain("POST");
    expect(response.headers.get("Access-Control-Allow-Headers")).toContain("Producer-Seq");
    expect((await preflight("https://evil.example")).status).toBe(403);
  });
});

describe("paths", () => {
  test("answer 405 with Allow for other methods and 404 when unknown", async () => {
    const { ask } = createHttpFixture();
    const response = await ask("/v1/topics/t/records", { method: "DELETE" });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("POST, GET, HEAD, OPTIONS");
    const unknown = await ask("/v2/topics");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: "route_unknown" });
  });
});
