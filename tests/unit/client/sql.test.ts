import { describe, expect, test } from "bun:test";
import { arrowTable } from "../../../src/client/arrow.ts";
import { connect } from "../../../src/client/connection.ts";
import { liveRows, view } from "../../../src/client/live-view.ts";
import { rows, rowsOf, sql } from "../../../src/client/sql.ts";
import { hastyPlatform, problemAnswer } from "../../support/client-place.ts";

/** A server that gives these answers, one after another. */
function scripted(...answers: readonly (Response | string)[]) {
  const bodies: Record<string, unknown>[] = [];
  const left = [...answers];
  const connection = connect("http://localhost:1", {
    platform: hastyPlatform,
    async fetch(_, init) {
      bodies.push(JSON.parse(String(init?.body)));
      const next = left.shift() ?? problemAnswer(400, "sql_invalid");
      return typeof next === "string" ? new Response(next) : next;
    },
  });
  return { connection, bodies };
}

const change = (kind: string, row: object, id?: string) =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify({ change: kind, row })}\n\n`;

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => "none",
    (error: unknown) => error,
  );
}

describe("sql", () => {
  test("gives a result per statement, or the rows of the last that has any", async () => {
    const results = [{ message: "made" }, { columns: [], rows: [{ n: 1 }] }, { message: "gone" }];
    const answer = JSON.stringify({ results });
    const { connection, bodies } = scripted(answer, answer, '{"results":[]}');
    expect(await sql(connection, "A; B; C", { settings: { k: "v" } })).toEqual(results);
    expect(bodies[0]).toEqual({ sql: "A; B; C", settings: { k: "v" } });
    expect(await rowsOf(connection, "B")).toEqual([{ n: 1 }]);
    expect(await rowsOf(connection, "C")).toEqual([]);
  });

  test("wrong SQL says where, also when the answer had begun", async () => {
    const error = { code: "sql_evaluation_failed", detail: "by zero", status: 400 };
    const { connection } = scripted(
      problemAnswer(400, "sql_syntax", { line: 1, column: 5 }),
      JSON.stringify({ results: [], error }),
      `{"columns":[]}\n{"row":{"n":1}}\n${JSON.stringify({ error })}\n`,
    );
    expect(await failureOf(sql(connection, "SELEC"))).toMatchObject({
      ...{ code: "sql_syntax", details: { line: 1, column: 5 } },
    });
    expect(await failureOf(sql(connection, "x"))).toMatchObject({ code: error.code });
    const seen: unknown[] = [];
    const reading = async () => {
      for await (const row of rows(connection, "x")) seen.push(row);
    };
    expect(await failureOf(reading())).toMatchObject({ code: error.code });
    expect(seen).toEqual([{ n: 1 }]);
  });

  test("rows that break off are not taken for all", async () => {
    const { connection } = scripted(
      '{"row":{"n":1}}\n\n{"row":{"n":2}}\n{"end":true}\n',
      '{"row":{"n":1}}\n',
    );
    expect(await Array.fromAsync(rows(connection, "x"))).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await failureOf(Array.fromAsync(rows(connection, "x")))).toMatchObject({
      ...{ code: "network", retriable: true },
    });
  });

  test("Arrow without its end mark is refused", async () => {
    const whole = new Uint8Array([1, 255, 255, 255, 255, 0, 0, 0, 0]);
    const { connection } = scripted(new Response(whole), new Response(whole.subarray(0, 8)));
    const arrow = { tableFromIPC: (bytes: Uint8Array) => bytes.length };
    expect(await arrowTable(connection, "x", arrow)).toBe(9);
    expect(await failureOf(arrowTable(connection, "x", arrow))).toMatchObject({ code: "network" });
  });
});

describe("view", () => {
  test("a name becomes a query, and a query a live one", async () => {
    const { connection, bodies } = scripted();
    for (const query of ["v", "SELECT a FROM v;", "SELECT a FROM v emit changes"]) {
      expect(await failureOf(view(connection, query).next())).toMatchObject({ status: 400 });
    }
    expect(bodies.map((body) => body["sql"])).toEqual([
      ...["SELECT * FROM v EMIT CHANGES", "SELECT a FROM v EMIT CHANGES"],
      "SELECT a FROM v emit changes",
    ]);
  });

  test("goes on behind the last change", async () => {
    const { connection, bodies } = scripted(
      change("snapshot", { n: 1 }, "t:1"),
      problemAnswer(503, "shutting_down", { retriable: true }),
      change("update", { n: 2 }, "t:2"),
    );
    const changes: unknown[] = [];
    const reading = async () => {
      for await (const each of view(connection, "v")) changes.push(each);
    };
    expect(await failureOf(reading())).toMatchObject({ code: "sql_invalid" });
    expect(changes).toEqual([
      { change: "snapshot", row: { n: 1 }, cursor: "t:1" },
      { change: "update", row: { n: 2 }, cursor: "t:2" },
    ]);
    expect(bodies.map(({ cursor }) => cursor)).toEqual([undefined, "t:1", "t:1", "t:2"]);
  });

  test("says so when the rows come anew: the cursor is lost, or there is none", async () => {
    for (const [id, ...between] of [
      ["t:1", problemAnswer(410, "topic_recreated")],
      ["t:1", problemAnswer(416, "offset_out_of_range")],
      [undefined],
    ] as const) {
      const first = change("snapshot", { k: "a", n: 1 }, id) + change("insert", { k: "b" }, id);
      const again = `${change("snapshot", { k: "a", n: 3 }, "u:1")}event: end\ndata: {}\n\n`;
      const { connection, bodies } = scripted(first, ...between, again);
      const keyOf = ({ k }: Record<string, unknown>) => k;
      const states: unknown[] = [];
      for await (const rows of liveRows(connection, "v", { keyOf })) states.push([...rows]);
      expect(states).toEqual([
        [
          ["a", { k: "a", n: 1 }],
          ["b", { k: "b" }],
        ],
        [],
        [["a", { k: "a", n: 3 }]],
      ]);
      expect(bodies.at(-1)?.["cursor"]).toBeUndefined();
    }
  });

  test("an end is the end, with a cursor or without", async () => {
    const { connection, bodies } = scripted(
      `${change("snapshot", { k: 1 })}event: end\ndata: {}\n\n`,
    );
    const changes = await Array.fromAsync(view(connection, "v"));
    expect(changes).toEqual([{ change: "snapshot", row: { k: 1 }, cursor: null }]);
    expect(bodies).toHaveLength(1);
  });

  test("rows that are deleted leave", async () => {
    const { connection } = scripted(
      `${change("snapshot", { k: 1 }, "t:1")}${change("delete", { k: 1 }, "t:2")}` +
        "event: end\ndata: {}\n\n",
    );
    const sizes: number[] = [];
    for await (const rows of liveRows(connection, "v", { keyOf: ({ k }) => k })) {
      sizes.push(rows.size);
    }
    expect(sizes).toEqual([0]);
  });
});
