import { afterEach, describe, expect, test } from "bun:test";
import { tableFromIPC } from "apache-arrow";
import { StreamError } from "../../../../src/base/stream-error.ts";
import type { StatementResult } from "../../../../src/pipeline/sql-result.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";
import { SqlStack } from "../../../support/sql-stack.ts";
import { SseReader } from "../../../support/sse-reader.ts";

const opened: SqlStack[] = [];
afterEach(async () => {
  for (const stack of opened.splice(0)) await stack.close();
});

/** The HTTP surface over a whole SQL stack. */
async function withSql(): Promise<HttpFixture["ask"] & { stack: SqlStack }> {
  const stack = await SqlStack.open();
  opened.push(stack);
  const { ask } = createHttpFixture({ sql: { sql: stack.service } });
  return Object.assign(ask, { stack });
}

/** The same over rows that the test itself gives. */
function withRows(result: () => Promise<StatementResult>): HttpFixture {
  const sql = { execute: result, isStill: async () => false };
  return createHttpFixture({ sql: { sql } });
}

const post = (sql: string, accept?: string, settings?: Record<string, string>) => ({
  ...{ method: "POST", json: { sql, ...(settings !== undefined && { settings }) } },
  ...(accept !== undefined && { headers: { Accept: accept } }),
});

const bids = `CREATE STREAM bids (auction BIGINT, price DECIMAL(10, 2)) WITH ('partitions' = '1')`;
const insert = "INSERT INTO bids VALUES (9007199254740993, 0.10), (2, NULL)";
const jsonLines = async (response: Response) => (await response.text()).trimEnd().split("\n");
const utf8 = new TextEncoder();

describe("POST /v1/sql", () => {
  test("answers a script with a result per statement, numbers with all their digits", async () => {
    const ask = await withSql();
    const answer = await ask("/v1/sql", post(`${bids}; ${insert}; SELECT * FROM bids; SHOW VIEWS`));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Type")).toBe("application/json");
    const columns = '[{"name":"auction","type":"BIGINT"},{"name":"price","type":"DECIMAL(10, 2)"}]';
    expect(await answer.text()).toBe(
      '{"results":[{"message":"Created stream bids"},{"message":"Inserted 2 rows"},' +
        `{"columns":${columns},"rows":[{"auction":9007199254740993,"price":0.10},` +
        '{"auction":2,"price":null}]},' +
        '{"columns":[{"name":"view name","type":"STRING"},{"name":"kind","type":"STRING"}],' +
        '"rows":[]}]}\n',
    );
  });

  test("answers in lines: rows alone, or all that a script gives", async () => {
    const ask = await withSql();
    await ask("/v1/sql", post(`${bids}; ${insert}`));
    const script = "SHOW TABLES; SELECT auction FROM bids; SET 'millrace.query.memory' = '64 MB'";
    const rows = await ask("/v1/sql", post(script, "application/x-ndjson"));
    expect(await jsonLines(rows)).toEqual(['{"auction":9007199254740993}', '{"auction":2}']);
    const all = await ask("/v1/sql", post(script, "application/vnd.millrace.sql-lines"));
    const lines = await jsonLines(all);
    expect(lines.filter((line) => !line.startsWith('{"progress"'))).toEqual([
      '{"columns":[{"name":"table name","type":"STRING"},{"name":"kind","type":"STRING"}]}',
      '{"row":{"table name":"bids","kind":"stream"}}',
      '{"columns":[{"name":"auction","type":"BIGINT"}]}',
      '{"row":{"auction":9007199254740993}}',
      '{"row":{"auction":2}}',
      '{"message":"Set millrace.query.memory"}',
      '{"end":true}',
    ]);
    const messages = await ask("/v1/sql", post("DROP STREAM bids", "application/x-ndjson"));
    expect(await jsonLines(messages)).toEqual(['{"message":"Dropped stream bids"}']);
  });

  test("answers in Arrow, NULL and all", async () => {
    const ask = await withSql();
    await ask("/v1/sql", post(`${bids}; ${insert}`));
    const arrow = "application/vnd.apache.arrow.stream";
    const answer = await ask("/v1/sql", post("SELECT * FROM bids", arrow));
    expect(answer.headers.get("Content-Type")).toBe(arrow);
    const table = tableFromIPC(new Uint8Array(await answer.arrayBuffer()));
    expect(table.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "auction Int64",
      "price Decimal[10e+2]",
    ]);
    expect([...(table.getChild("auction") ?? [])]).toEqual([9007199254740993n, 2n]);
    expect(table.getChild("price")?.get(1)).toBeNull();
  });

  test("tells where a wrong statement is wrong, within its script", async () => {
    const ask = await withSql();
    const parsed = await ask("/v1/sql", post("SHOW TABLES;\nSELECT * FORM bids"));
    expect(parsed.status).toBe(400);
    expect(await parsed.json()).toMatchObject({
      ...{ code: "sql_syntax", line: 2, column: 10, suggestion: "FROM" },
      diagnostic: expect.stringContaining("  2 | SELECT * FORM bids\n    |          ^^^^"),
    });
    const checked = await ask("/v1/sql", post(`${bids};\nSELECT auktion FROM bids`));
    expect(checked.status).toBe(400);
    expect(await checked.json()).toMatchObject({
      ...{ code: "sql_invalid", statement: 2, line: 2, column: 8, suggestion: "auction" },
    });
    expect((await ask("/v1/sql", post(" ; -- nothing"))).status).toBe(400);
    const unknown = await ask("/v1/sql", post("DROP VIEW v; SHOW TABLES"));
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: "sql_object_unknown", statement: 1 });
  });

  test("takes settings with the request, and refuses wrong ones", async () => {
    const ask = await withSql();
    const show = (zone: string) =>
      ask("/v1/sql", post("SET", undefined, { "table.local-time-zone": zone }));
    expect(await (await show("Europe/Berlin")).text()).toContain('"value":"Europe/Berlin"');
    expect((await show("Middle/Earth")).status).toBe(400);
  });

  test("takes no content type that a form can send, and no foreign page's request", async () => {
    const ask = await withSql();
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const init = { method: "POST", headers: { "Content-Type": type }, body: '{"sql":"SHOW"}' };
      expect((await ask("/v1/sql", init)).status).toBe(415);
    }
    const foreign = { ...post("SHOW TABLES"), headers: { Origin: "https://elsewhere.example" } };
    expect((await ask("/v1/sql", foreign)).status).toBe(403);
    expect((await ask("/v1/sql", post("SHOW TABLES", "text/html"))).status).toBe(406);
  });

  test("shows what fails behind the first rows in each format", async () => {
    const { ask } = withRows(async () => ({
      kind: "rows",
      columns: [{ name: "a", type: { kind: "int" } }],
      rows: (async function* () {
        yield { rows: [utf8.encode('{"a":1}')], progress: null };
        throw new StreamError("sql_evaluation_failed", "Cannot go on");
      })(),
    }));
    const json = (await (await ask("/v1/sql", post("SHOW TABLES"))).json()) as object;
    expect(json).toMatchObject({
      results: [{ rows: [{ a: 1 }] }],
      error: { code: "sql_evaluation_failed", detail: "Cannot go on" },
    });
    for (const type of ["application/x-ndjson", "application/vnd.millrace.sql-lines"]) {
      const lines = await jsonLines(await ask("/v1/sql", post("SHOW TABLES", type)));
      expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
        error: { code: "sql_evaluation_failed" },
      });
    }
    const arrow = await ask("/v1/sql", post("SHOW TABLES", "application/vnd.apache.arrow.stream"));
    await expect(arrow.arrayBuffer()).rejects.toThrow();
  });

  test("follows a view as events and as lines, and goes on behind a cursor", async () => {
    const ask = await withSql();
    await ask(
      "/v1/sql",
      post(`SET 'execution.checkpointing.interval' = '10 ms'; ${bids}; ${insert};
        CREATE MATERIALIZED VIEW tops AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction`),
    );
    await ask.stack.until(async () => (await ask.stack.records("tops")).length === 2);
    const follow = (accept: string, cursor: object = {}) =>
      ask("/v1/sql", {
        ...{ method: "POST", headers: { Accept: accept } },
        json: { sql: "SELECT * FROM tops EMIT CHANGES", ...cursor },
      });
    const events = new SseReader(await follow("text/event-stream"));
    const [first, second] = await events.take(2);
    expect([first?.data, second?.data]).toEqual([
      '{"change":"snapshot","row":{"auction":9007199254740993,"n":1}}',
      '{"change":"snapshot","row":{"auction":2,"n":1}}',
    ]);
    await ask("/v1/sql", post("INSERT INTO bids VALUES (2, 1)"));
    const third = await events.next();
    expect(third.data).toBe('{"change":"update","row":{"auction":2,"n":2}}');
    await events.cancel();
    const again = await follow("application/x-ndjson", { cursor: first?.id });
    const reader = again.body?.getReader();
    let text = "";
    while (text.split("\n").length < 3)
      text += new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    const lines = text.trimEnd().split("\n");
    expect(lines.at(-1)).toBe(
      `{"change":"update","cursor":"${third.id}","row":{"auction":2,"n":2}}`,
    );
    const whole = await follow("application/json");
    expect(whole.status).toBe(400);
    expect(await whole.json()).toMatchObject({ field: "Accept" });
  });

  test("ends a query whose reader leaves, and gives its place back", async () => {
    let isEnded = false;
    const { ask, metrics } = withRows(async () => ({
      kind: "rows",
      columns: [{ name: "a", type: { kind: "int" } }],
      rows: (async function* () {
        try {
          for (;;) yield { rows: [utf8.encode('{"a":1}')], progress: null };
        } finally {
          isEnded = true;
        }
      })(),
    }));
    const answer = await ask("/v1/sql", post("SHOW TABLES"));
    const reader = answer.body?.getReader();
    await reader?.read();
    expect(metrics.print()).toContain("millrace_http_sql_scripts 1\n");
    await reader?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(isEnded).toBe(true);
    expect(metrics.print()).toContain("millrace_http_sql_scripts 0\n");
  });

  test("says that rows are not all when the server stops", async () => {
    let stop = () => {};
    const { ask, ...fixture } = withRows(async () => ({
      kind: "rows",
      columns: [{ name: "a", type: { kind: "int" } }],
      rows: (async function* () {
        yield { rows: [utf8.encode('{"a":1}')], progress: null };
        stop();
      })(),
    }));
    stop = fixture.stop;
    const answer = (await (await ask("/v1/sql", post("SHOW TABLES"))).json()) as object;
    expect(answer).toMatchObject({ error: { code: "shutting_down", retriable: true } });
  });
});

describe("GET /v1/sql", () => {
  const get = (sql: string, more = "") => `/v1/sql?sql=${encodeURIComponent(sql)}${more}`;
  const events = { headers: { Accept: "text/event-stream" } };

  test("follows a view as EventSource does, and goes on behind the last event", async () => {
    const ask = await withSql();
    await ask(
      "/v1/sql",
      post(`SET 'execution.checkpointing.interval' = '10 ms'; ${bids}; ${insert};
        CREATE MATERIALIZED VIEW tops AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction`),
    );
    await ask.stack.until(async () => (await ask.stack.records("tops")).length === 2);
    const path = get("SELECT * FROM tops WHERE auction = 2 EMIT CHANGES");
    const answer = await ask(path, events);
    expect(answer.headers.get("Content-Type")).toBe("text/event-stream");
    const reader = new SseReader(answer);
    const first = await reader.next();
    expect(first.data).toBe('{"change":"snapshot","row":{"auction":2,"n":1}}');
    await reader.cancel();
    await ask("/v1/sql", post("INSERT INTO bids VALUES (2, 1)"));
    const headers = { ...events.headers, "Last-Event-ID": first.id ?? "" };
    const again = new SseReader(await ask(path, { headers }));
    const change = await again.next();
    expect(change.data).toBe('{"change":"update","row":{"auction":2,"n":2}}');
    await again.cancel();
    const byCursor = new SseReader(await ask(`${path}&cursor=${first.id}`, events));
    expect(await byCursor.next()).toEqual(change);
    await byCursor.cancel();
    const foreign = await ask(get("SELECT * FROM tops EMIT CHANGES", "&cursor=x"), events);
    expect(foreign.status).toBe(400);
  });

  test("gives the rows of a SELECT in the type that Accept names", async () => {
    const ask = await withSql();
    await ask("/v1/sql", post(`${bids}; ${insert}`));
    const lines = { headers: { Accept: "application/x-ndjson" } };
    const answer = await ask(get("SELECT auction FROM bids;"), lines);
    expect(await jsonLines(answer)).toEqual(['{"auction":9007199254740993}', '{"auction":2}']);
    const all = await (await ask(get("SELECT auction FROM bids"), events)).text();
    expect(all).toContain('data: {"auction":2}\n\nevent: end\n');
    expect((await ask(get("SELECT 1"), { headers: { Accept: "image/png" } })).status).toBe(406);
  });

  test("runs no statement but one SELECT", async () => {
    const ask = await withSql();
    await ask("/v1/sql", post(bids));
    for (const sql of [
      "DROP STREAM bids",
      "INSERT INTO bids SELECT * FROM bids",
      "SET 'table.local-time-zone' = 'UTC'",
      "CREATE MATERIALIZED VIEW v AS SELECT * FROM bids",
      "SELECT 1; DROP STREAM bids",
      "SELECT * FROM bids; SELECT * FROM bids",
    ]) {
      const answer = await ask(get(sql));
      expect(answer.status, sql).toBe(400);
      expect(await answer.json()).toMatchObject({ field: "sql", expected: "one SELECT" });
    }
    const wrong = await ask(get("SELECT * FORM bids"));
    expect(await wrong.json()).toMatchObject({ code: "sql_syntax", line: 1, column: 10 });
    expect((await ask("/v1/sql")).status).toBe(400);
    expect(await (await ask("/v1/sql", post("SHOW TABLES"))).text()).toContain('"bids"');
  });

  test("is refused to pages of other origins, named or not", async () => {
    const listed = "https://app.example";
    const rows = async (): Promise<StatementResult> => ({
      ...{ kind: "rows", columns: [{ name: "a", type: { kind: "int" } }] },
      rows: (async function* () {
        yield { rows: [utf8.encode('{"a":1}')], progress: null };
      })(),
    });
    const { ask } = createHttpFixture({
      sql: { sql: { isStill: async () => false, execute: rows } },
      settings: { origins: [listed], token: "t" },
    });
    const asked = (headers: Record<string, string>) =>
      ask(get("SELECT 1"), { headers: { Authorization: "Bearer t", ...headers } });
    expect((await asked({})).status).toBe(200);
    expect((await asked({ "Sec-Fetch-Site": "same-origin" })).status).toBe(200);
    const page = await asked({ Origin: listed });
    expect(page.status).toBe(200);
    expect(page.headers.get("Access-Control-Allow-Origin")).toBe(listed);
    expect((await asked({ Origin: "https://elsewhere.example" })).status).toBe(403);
    expect((await asked({ Origin: "null" })).status).toBe(403);
    expect((await asked({ "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
    expect((await asked({ Authorization: "" })).status).toBe(401);
  });
});
