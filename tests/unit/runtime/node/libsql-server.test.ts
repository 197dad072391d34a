/** What is asked of a libSQL server, and what is made of its answers. */
import { afterEach, describe, expect, test } from "bun:test";
import type { SqlStatement, SqlValue } from "../../../../src/meta/sql-database.ts";
import { openLibsqlServer } from "../../../../src/runtime/node/libsql-server.ts";

interface Asked {
  readonly path: string;
  readonly authorization: string | null;
  readonly body: {
    readonly requests: readonly {
      readonly type: string;
      readonly batch?: { readonly steps: readonly Step[] };
    }[];
  };
}

interface Step {
  readonly condition?: unknown;
  readonly stmt: { readonly sql?: string; readonly args: unknown };
}

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(true)));
});

/** A server that answers as told, and a client of it. */
function start(
  answer: (asked: Asked) => Response | Promise<Response>,
  { path = "", timeoutMs = 10_000 } = {},
) {
  const seen: Asked[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const asked = {
        path: new URL(request.url).pathname,
        authorization: request.headers.get("authorization"),
        body: (await request.json()) as Asked["body"],
      };
      seen.push(asked);
      return await answer(asked);
    },
  });
  servers.push(server);
  const url = `http://127.0.0.1:${server.port}${path}`;
  return { url, seen, database: openLibsqlServer({ url, authToken: "secret", timeoutMs }) };
}

const one: readonly SqlStatement[] = [{ sql: "SELECT 1", args: [] }];
const done = (rows: readonly unknown[] = []) => ({
  ...{ cols: [{ name: "a" }], rows, affected_row_count: 0, last_insert_rowid: null },
});

function answered(results: readonly unknown[], errors: readonly unknown[] = []): Response {
  const result = { step_results: results, step_errors: results.map((_, at) => errors[at] ?? null) };
  return Response.json({
    baton: null,
    results: [
      { type: "ok", response: { type: "batch", result } },
      { type: "ok", response: { type: "close" } },
    ],
  });
}

/** Of a batch of one statement: what its one row, BEGIN and COMMIT answer. */
const row = (...values: unknown[]) => answered([done(), done([values]), done(), null]);

async function errorOf(answer: Response): Promise<{ code: unknown; message: string }> {
  const { database } = start(() => answer);
  try {
    await database.batch(one, "read");
  } catch (error) {
    const { message } = error as Error;
    return { code: (error as { code?: unknown }).code, message };
  }
  throw new Error("nothing was refused");
}

describe("what is asked", () => {
  test("is one request a batch: a transaction whose steps hang on the one before", async () => {
    const { seen, database } = start(() => answered([done(), done(), done(), done(), null]));
    const twice = { sql: 'SELECT "é"', args: [] };
    await database.batch([twice, twice], "write");
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ path: "/v2/pipeline", authorization: "Bearer secret" });
    const { requests = [] } = seen[0]?.body ?? {};
    expect(requests.map(({ type }) => type)).toEqual(["batch", "close"]);
    const steps = requests[0]?.batch?.steps ?? [];
    expect(steps.map(({ condition, stmt }) => [stmt.sql, condition])).toEqual([
      ["BEGIN IMMEDIATE", undefined],
      ['SELECT "é"', { type: "ok", step: 0 }],
      ['SELECT "é"', { type: "ok", step: 1 }],
      ["COMMIT", { type: "ok", step: 2 }],
      ["ROLLBACK", { type: "not", cond: { type: "ok", step: 3 } }],
    ]);
  });

  test("has whole numbers as integers, which SQLite's columns are", async () => {
    const { seen, database } = start(() => row());
    const bytes = new Uint8Array([0, 255, 16]);
    const args: SqlValue[] = [null, 'q"\\\n\u2028é', 1.5, 7, -0, -(2 ** 63), bytes];
    await database.batch([{ sql: "SELECT ?1", args }], "read");
    const steps = seen[0]?.body.requests[0]?.batch?.steps;
    expect(steps?.[0]?.stmt.sql).toBe("BEGIN TRANSACTION READONLY");
    expect(steps?.[1]?.stmt.args).toEqual([
      { type: "null" },
      { type: "text", value: 'q"\\\n\u2028é' },
      { type: "float", value: 1.5 },
      { type: "integer", value: "7" },
      { type: "integer", value: "0" },
      { type: "integer", value: "-9223372036854775808" },
      { type: "blob", base64: expect.stringMatching(/^AP8Q=*$/) },
    ]);
  });

  test("is nothing for numbers that no column holds", async () => {
    const { seen, database } = start(() => row());
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63, -(2 ** 64)]) {
      const refused = database.batch([{ sql: "SELECT ?1", args: [wrong] }], "read");
      await expect(refused).rejects.toBeInstanceOf(RangeError);
    }
    expect(seen).toEqual([]);
  });

  test("goes below the path of the URL, which its description shows without secrets", async () => {
    const { seen, database } = start(() => row(), { path: "/tenants/a/" });
    await database.batch(one, "read");
    expect(seen[0]?.path).toBe("/tenants/a/v2/pipeline");
    const url = "libsql://user:word@db.example/a";
    const { description } = openLibsqlServer({ url, authToken: null, timeoutMs: 1 });
    expect(description).toBe("libsql://db.example/a");
  });

  test("is 64 requests at once at most; others wait for one to end", async () => {
    const gate = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    let open = 0;
    let most = 0;
    const { database } = start(async () => {
      open += 1;
      most = Math.max(most, open);
      if (open === 64) full.resolve();
      await gate.promise;
      open -= 1;
      return row();
    });
    const all = Array.from({ length: 70 }, () => database.batch(one, "read"));
    await full.promise;
    gate.resolve();
    expect(await Promise.all(all)).toHaveLength(70);
    expect(most).toBe(64);
  });
});

describe("what is made of an answer", () => {
  test("are values of every type, and rows changed", async () => {
    const values = [
      { type: "null" },
      { type: "integer", value: "-9007199254740991" },
      { type: "float", value: 0.5 },
      { type: "text", value: "é" },
      { type: "blob", base64: "AP8Q" },
      { type: "blob", base64: "AP8" },
    ];
    const changed = { ...done(), affected_row_count: 3 };
    const { database } = start(() => answered([done(), done([values]), changed, done(), null]));
    expect(await database.batch([...one, ...one], "write")).toEqual([
      {
        rows: [
          [
            null,
            -9007199254740991,
            0.5,
            "é",
            new Uint8Array([0, 255, 16]),
            new Uint8Array([0, 255]),
          ],
        ],
        rowsAffected: 0,
      },
      { rows: [], rowsAffected: 3 },
    ]);
  });

  test("is an error for an integer that JavaScript's numbers do not hold", async () => {
    const { database } = start(() => row({ type: "integer", value: "9007199254740992" }));
    await expect(database.batch(one, "read")).rejects.toBeInstanceOf(RangeError);
  });

  test("is the error of the step that failed, BEGIN and COMMIT among them", async () => {
    const failure = (code: string) => ({ message: `no ${code}`, code });
    const busy = answered([null, null, null, null], [failure("SQLITE_BUSY")]);
    expect(await errorOf(busy)).toEqual({
      code: "metadata_unavailable",
      message: expect.stringContaining("SQLITE_BUSY: no SQLITE_BUSY"),
    });
    const wrong = answered([done(), null, null, null], [null, failure("SQLITE_ERROR")]);
    expect((await errorOf(wrong)).message).toContain("refused a statement: SQLITE_ERROR: no SQL");
    const late = answered([done(), done(), null, null], [null, null, failure("SQLITE_FULL")]);
    expect((await errorOf(late)).message).toContain("SQLITE_FULL");
  });

  test("is no result of a step that was left out, nor of an answer of another kind", async () => {
    const leftOut = await errorOf(answered([done(), null, done(), null]));
    expect(leftOut.message).toContain("TRANSACTION_CLOSED");
    for (const strange of ["{}", "null", "[]", '{"results":[{"type":"ok"}]}', '"text"', "<a>"]) {
      expect((await errorOf(new Response(strange))).code).toBe("metadata_unavailable");
    }
  });

  test("keeps the status of a refusal beside what the server says", async () => {
    const said = async (status: number, body: string) => {
      const headers = { "Content-Type": "application/json" };
      const { code, message } = await errorOf(new Response(body, { status, headers }));
      return [code, message.replace(/^Metadata \S+ /, "")];
    };
    const unanswered = "did not answer: ";
    const what = "Server returned HTTP status 500";
    expect(await said(500, "")).toEqual([
      "metadata_unavailable",
      `${unanswered}SERVER_ERROR: ${what}`,
    ]);
    expect((await said(500, '{"error":"x"}'))[1]).toBe(`${unanswered}SERVER_ERROR: ${what}`);
    expect((await said(500, " who? "))[1]).toBe(`${unanswered}SERVER_ERROR: ${what}: who?`);
    expect((await said(500, '{"message":"m","code":"C"}'))[1]).toBe(`${unanswered}C: ${what}: m`);
    const [code, message] = await said(401, '{"message":"who?"}');
    expect(code).toBe("unauthenticated");
    expect(message).toContain("UNKNOWN: Server returned HTTP status 401: who?");
  });
});

describe("without an answer", () => {
  test("a batch ends in time, also when only the answer's end is missing", async () => {
    const never = () => new Promise<Response>(() => {});
    const begun = () => new Response(new ReadableStream({ start: (each) => each.enqueue("{") }));
    for (const answer of [never, begun]) {
      const { database } = start(answer, { timeoutMs: 20 });
      const outcome = database.batch(one, "read");
      await expect(outcome).rejects.toMatchObject({
        code: "metadata_unavailable",
        message: expect.stringContaining("No answer came within 20 ms"),
      });
    }
  });

  test("a closed client asks for nothing", async () => {
    const { seen, database } = start(() => row());
    await database.close();
    await expect(database.batch(one, "read")).rejects.toMatchObject({
      code: "metadata_unavailable",
    });
    expect(seen).toEqual([]);
  });
});

test("leaves no timer behind, which would keep a Durable Object awake", async () => {
  const program = `
    import { openLibsqlServer } from "${import.meta.dir}/../../../../src/runtime/node/libsql-server.ts";
    const database = openLibsqlServer({ url: process.argv[1], authToken: null, timeoutMs: 100_000_000 });
    await database.batch([{ sql: "SELECT 1", args: [] }], "read");
    process.on("beforeExit", () => console.log("ended"));
  `;
  const { url } = start(() => row());
  const child = Bun.spawn([process.execPath, "-e", program, url], { stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("ended\n");
});
