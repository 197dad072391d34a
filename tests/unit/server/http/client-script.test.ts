import { describe, expect, test } from "bun:test";
import { createHttpFixture } from "../../../support/http-fixture.ts";

describe("GET /client.js", () => {
  test("gives the module to any page, without a token, for an hour", async () => {
    const { ask, context } = createHttpFixture({ settings: { token: "secret" } });
    const answer = await ask("/client.js", { headers: { Origin: "https://shop.example" } });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(context.clientScript());
    expect(answer.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
    expect(answer.headers.get("Cache-Control")).toBe("public, max-age=3600");
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
  });

  test("answers 304 to who has it, and with all of it to who has another", async () => {
    const { ask } = createHttpFixture();
    const etag = (await ask("/client.js")).headers.get("ETag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{24}"$/);
    for (const shown of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const same = await ask("/client.js", { headers: { "If-None-Match": shown } });
      expect([same.status, await same.text(), same.headers.get("ETag")]).toEqual([304, "", etag]);
    }
    const other = await ask("/client.js", { headers: { "If-None-Match": '"other"' } });
    expect(other.status).toBe(200);
    const head = await ask("/client.js", { method: "HEAD" });
    expect([head.status, await head.text(), head.headers.get("ETag")]).toEqual([200, "", etag]);
  });
});
