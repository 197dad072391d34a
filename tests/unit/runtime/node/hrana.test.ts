/** Compared with @libsql/client, a foreign program that speaks the same protocol. */
import { describe, expect, test } from "bun:test";
import { createClient, type InValue } from "@libsql/client/http";
import {
  HranaError,
  pipelineBody,
  pipelineResults,
  refusalError,
} from "../../../../src/runtime/node/hrana.ts";

const statements = [
  { sql: 'SELECT "a", ?1, ?2, ?3, ?4, ?5', args: [null, 'q"\\\n\u2028é', 1.5, 7, -0] },
  { sql: "SELECT ?1, ?2", args: [2 ** 60, new Uint8Array([0, 255, 16])] },
];

describe("pipelineBody", () => {
  test.each(["read", "write"] as const)(
    "asks for a %s batch as @libsql/client does",
    async (mode) => {
      const foreign = await foreignSteps(mode);
      const ours = JSON.parse(pipelineBody(statements, mode)) as Asked;
      expect(ours.requests.map(({ type }) => type)).toEqual(["batch", "close"]);
      expect(stepsOf(ours)).toEqual(foreign);
    },
  );

  test("refuses numbers that are no column's", () => {
    const bodyOf = (value: number) => () => pipelineBody([{ sql: "", args: [value] }], "read");
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63, -(2 ** 64)]) {
      expect(bodyOf(wrong)).toThrow(RangeError);
    }
    expect(bodyOf(-(2 ** 63))()).toContain('"-9223372036854775808"');
  });
});

describe("pipelineResults", () => {
  test("reads values of every type, and rows changed", () => {
    const row = [
      { type: "null" },
      { type: "integer", value: "-9007199254740991" },
      { type: "float", value: 0.5 },
      { type: "text", value: "é" },
      { type: "blob", base64: "AP8Q" },
      { type: "blob", base64: "AP8" },
    ];
    const answer = answered([done(), done([row]), { ...done(), affected_row_count: 3 }, done()]);
    expect(pipelineResults(answer, 2)).toEqual([
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

  test("refuses an integer that JavaScript's numbers do not hold", () => {
    const row = [{ type: "integer", value: "9007199254740992" }];
    expect(() => pipelineResults(answered([done(), done([row]), done()]), 1)).toThrow(RangeError);
  });

  test("tells the step that failed first, BEGIN and COMMIT among them", () => {
    const failure = (code: string) => ({ message: `no ${code}`, code });
    const busy = answered([null, null, null], [failure("SQLITE_BUSY"), null, null]);
    expect(errorOf(busy, 1)).toEqual(["SQLITE_BUSY", "SQLITE_BUSY: no SQLITE_BUSY"]);
    const wrong = answered([done(), null, null, null], [null, failure("SQLITE_ERROR"), null, null]);
    expect(errorOf(wrong, 2)[0]).toBe("SQLITE_ERROR");
    const late = answered([done(), done(), null], [null, null, failure("SQLITE_FULL")]);
    expect(errorOf(late, 1)[0]).toBe("SQLITE_FULL");
  });

  test("takes no result for a step that was left out, nor for an answer of another kind", () => {
    expect(errorOf(answered([done(), null, done()]), 1)[0]).toBe("TRANSACTION_CLOSED");
    expect(errorOf(answered([done(), done()]), 1)[0]).toBe("TRANSACTION_CLOSED");
    const refused = { results: [{ type: "error", error: { message: "no", code: "X" } }] };
    expect(errorOf(JSON.stringify(refused), 1)).toEqual(["X", "X: no"]);
    for (const strange of ["{}", "null", "[]", '{"results":[{"type":"ok"}]}', '"text"']) {
      expect(errorOf(strange, 1)[0]).toBe("HRANA_PROTO_ERROR");
    }
  });
});

test("refusalError keeps the status beside what the server says", () => {
  const said = (body: string) => [refusalError(401, body).code, refusalError(401, body).message];
  const what = "Server returned HTTP status 401";
  expect(said("")).toEqual(["SERVER_ERROR", `SERVER_ERROR: ${what}`]);
  expect(said('{"error":"x"}')).toEqual(["SERVER_ERROR", `SERVER_ERROR: ${what}`]);
  expect(said('{"message":"m","code":"C"}')).toEqual(["C", `C: ${what}: m`]);
  expect(said(" who? ")).toEqual(["SERVER_ERROR", `SERVER_ERROR: ${what}: who?`]);
});

interface Asked {
  readonly requests: readonly {
    readonly type: string;
    readonly sql?: string;
    readonly sql_id?: number;
    readonly batch?: { readonly steps: readonly Step[] };
  }[];
}

interface Step {
  readonly condition?: unknown;
  readonly stmt: { sql?: string; sql_id?: number; want_rows?: boolean; named_args?: unknown[] };
}

/** The steps with each text in its place, and without what says what is so anyway. */
function stepsOf({ requests }: Asked): unknown[] {
  const texts = new Map(requests.map(({ sql_id, sql }) => [sql_id, sql]));
  const steps = requests.find(({ type }) => type === "batch")?.batch?.steps ?? [];
  return steps.map(({ condition, stmt: { sql_id, named_args, want_rows = true, ...stmt } }) => ({
    condition: condition ?? null,
    stmt: { args: [], sql: texts.get(sql_id), ...stmt, want_rows },
  }));
}

async function foreignSteps(mode: "read" | "write"): Promise<unknown[]> {
  let body: Asked = { requests: [] };
  const client = createClient({
    url: "http://db.example",
    fetch: async (request: Request) => {
      body = (await request.json()) as Asked;
      return new Response("enough", { status: 500 });
    },
  });
  const bound = statements.map(({ sql, args }) => ({
    sql,
    args: args.map((value): InValue => (Number.isInteger(value) ? BigInt(Number(value)) : value)),
  }));
  await expect(client.batch(bound, mode)).rejects.toThrow();
  return stepsOf(body);
}

function done(rows: readonly unknown[] = []) {
  return { cols: [], rows, affected_row_count: 0, last_insert_rowid: null };
}

function answered(results: readonly unknown[], errors: readonly unknown[] = []): string {
  const result = { step_results: results, step_errors: results.map((_, at) => errors[at] ?? null) };
  return JSON.stringify({ results: [{ type: "ok", response: { type: "batch", result } }] });
}

function errorOf(answer: string, count: number): [code: string, message: string] {
  try {
    pipelineResults(answer, count);
  } catch (error) {
    if (error instanceof HranaError) return [error.code, error.message];
    throw error;
  }
  throw new Error("nothing was refused");
}
