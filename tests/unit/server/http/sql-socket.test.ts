import { expect, test } from "bun:test";
import type { MessageSocket, SocketHandler } from "../../../../src/base/message-socket.ts";
import { StreamError } from "../../../../src/base/stream-error.ts";
import type { ChangeEvent, StatementResult } from "../../../../src/pipeline/sql-result.ts";
import type { ExecuteOptions } from "../../../../src/pipeline/sql-service.ts";
import type { ScriptRun, SqlEvent } from "../../../../src/server/http/sql-script.ts";
import { SqlSocket } from "../../../../src/server/http/sql-socket.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";
import { until } from "../../../support/until.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const utf8 = new TextEncoder();
const row = (n: number) => utf8.encode(`{"n":${n}}`);
const columns = [{ name: "n", type: { kind: "bigint", isNullable: true } }] as const;
const head = { columns: [{ name: "n", type: "BIGINT" }] };

interface Open {
  readonly status: number;
  readonly answer: Response;
  readonly messages: unknown[];
  readonly socket: MessageSocket & { bufferedBytes: number };
  readonly end: () => { readonly code: number; readonly reason: string } | undefined;
  readonly credit: (credit: unknown) => void;
  readonly ask: () => void;
  readonly leave: () => void;
  readonly stop: () => void;
  /** What the statement was run with. */
  readonly options: ExecuteOptions[];
  readonly openCount: () => Promise<string | undefined>;
}

/** A socket over what `result` gives. */
async function open(
  result: (signal: AbortSignal) => StatementResult | Promise<StatementResult>,
  query = "sql=SELECT+n+FROM+v",
): Promise<Open> {
  const messages: unknown[] = [];
  const options: ExecuteOptions[] = [];
  let handler: SocketHandler | undefined;
  let end: { code: number; reason: string } | undefined;
  const socket = {
    bufferedBytes: 0,
    send: (message: string | Uint8Array) => void messages.push(JSON.parse(String(message))),
    close(code: number, reason: string) {
      end ??= { code, reason };
      queueMicrotask(() => handler?.closed());
    },
  };
  const { ask, stop } = createHttpFixture({
    sql: {
      sql: {
        isStill: async () => false,
        execute: async (_statement, _session, signal, given = {}) => {
          options.push(given);
          return await result(signal);
        },
      },
    },
    upgradeSocket: (_request, upgrade) => {
      handler = upgrade.handler;
      handler.opened(socket);
      return new Response(null, { status: 101 });
    },
  });
  const headers = { Upgrade: "websocket", Connection: "Upgrade" };
  const answer = await ask(`/v1/sql/ws?${query}`, { headers });
  return {
    ...{ status: answer.status, answer, messages, socket, options, stop },
    end: () => end,
    credit: (credit) => handler?.received(JSON.stringify({ credit })),
    ask: () => handler?.received("{}"),
    leave: () => handler?.closed(),
    openCount: async () => {
      const text = await (await ask("/metrics")).text();
      return /^millrace_http_sql_scripts (.*)$/m.exec(text)?.[1];
    },
  };
}

/** Rows in chunks of these sizes, numbered from 0, then an end; `taken` counts the chunks asked for. */
function rowsOf(sizes: readonly number[], taken: number[] = []): StatementResult {
  async function* rows() {
    let next = 0;
    for (const size of sizes) {
      taken.push(size);
      yield { rows: Array.from({ length: size }, () => row(next++)), progress: null };
    }
  }
  return { kind: "rows", columns, rows: rows() };
}

/** Changes that never end; what it is left with is noted. */
function changes(signal: AbortSignal, left: string[] = []): StatementResult {
  async function* events(): AsyncGenerator<ChangeEvent, void> {
    try {
      for (let n = 0; n < 3; n++) yield { kind: "insert", row: row(n), cursor: `c${n}` };
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    } finally {
      left.push("left");
    }
  }
  return { kind: "changes", columns, events: events() };
}

test("rows come as credit allows, each for one, and none is taken before", async () => {
  const taken: number[] = [];
  const opened = await open(() => rowsOf([2, 2], taken));
  expect(opened.status).toBe(101);
  await until(() => opened.messages.length > 0);
  expect([opened.messages, taken]).toEqual([[head], []]);
  opened.credit(1);
  await until(() => opened.messages.length === 2);
  expect([opened.messages.at(-1), taken]).toEqual([{ data: { n: 0 } }, [2]]);
  opened.credit(10);
  await until(() => opened.end());
  const rows = [0, 1, 2, 3].map((n) => ({ data: { n } }));
  expect(opened.messages).toEqual([head, ...rows, { event: "end" }]);
  expect(opened.end()).toEqual({ code: 1000, reason: "" });
  expect(await opened.openCount()).toBe("0");
});

test("changes come with their cursors, and go on from the one that is asked for", async () => {
  const query = "sql=SELECT+*+FROM+v+EMIT+CHANGES&cursor=c7";
  const opened = await open(changes, query);
  opened.credit(2);
  await until(() => opened.messages.length === 3);
  const change = (n: number) => ({ cursor: `c${n}`, data: { change: "insert", row: { n } } });
  expect(opened.messages).toEqual([head, change(0), change(1)]);
  expect(opened.options).toMatchObject([{ cursor: "c7" }]);
  opened.credit(1);
  await until(() => opened.messages.length === 4);
  expect(opened.messages.at(-1)).toEqual(change(2));
});

test("a query ends when its client leaves, with or without credit, and when the server stops", async () => {
  for (const credit of [1, 100]) {
    const left: string[] = [];
    const opened = await open(
      (signal) => changes(signal, left),
      "sql=SELECT+*+FROM+v+EMIT+CHANGES",
    );
    opened.credit(credit);
    await until(() => opened.messages.length > 1);
    expect(await opened.openCount()).toBe("1");
    opened.leave();
    await until(() => left.length > 0);
    await until(async () => (await opened.openCount()) === "0");
  }
  const left: string[] = [];
  const opened = await open((signal) => changes(signal, left), "sql=SELECT+*+FROM+v+EMIT+CHANGES");
  opened.credit(100);
  await until(() => opened.messages.length === 4);
  opened.stop();
  expect(await until(() => opened.end())).toEqual({ code: 1001, reason: "the server stops" });
  await until(() => left.length > 0);
});

test("a client that is slower than its credit gets no more until what was sent has left", async () => {
  const opened = await open(() => rowsOf([1, 1, 1]));
  opened.socket.bufferedBytes = 1e9;
  opened.credit(10);
  await Bun.sleep(30);
  expect(opened.messages).toEqual([head]);
  opened.socket.bufferedBytes = 0;
  await until(() => opened.end());
  expect(opened.messages).toHaveLength(5);
});

test("what fails before the first row answers the handshake, what fails later is told", async () => {
  const unknown = new StreamError("sql_object_unknown", "There is no v");
  const refused = await open(() => Promise.reject(unknown));
  expect(refused.status).toBe(404);
  expect(await refused.answer.json()).toMatchObject({ code: "sql_object_unknown" });
  expect(await refused.openCount()).toBe("0");
  async function* rows() {
    yield { rows: [row(0)], progress: null };
    throw new StreamError("topic_unknown", "It was dropped");
  }
  const opened = await open(() => ({ kind: "rows", columns, rows: rows() }));
  opened.credit(10);
  expect(await until(() => opened.end())).toEqual({ code: 1011, reason: "the query has failed" });
  const problem = { event: "problem", data: expect.objectContaining({ code: "topic_unknown" }) };
  expect(opened.messages).toEqual([head, { data: { n: 0 } }, problem]);
});

test("no other statement, no plain request, and no nonsense as credit", async () => {
  const other = await open(() => rowsOf([1]), "sql=DROP+VIEW+v");
  expect([other.status, other.options]).toEqual([400, []]);
  const { ask } = createHttpFixture();
  expect((await ask("/v1/sql/ws?sql=SELECT+1")).status).toBe(426);
  const opened = await open(() => rowsOf([1]));
  opened.ask();
  expect(opened.messages.at(-1)).toEqual({});
  expect(opened.end()).toBeUndefined();
  opened.credit("all");
  expect(opened.end()?.code).toBe(1008);
});

/** A handler over a view, with clocks of the test; what was asked of its socket. */
function following(options: {
  readonly rested?: { readonly cursor: string; readonly credit: number };
  /** The last cursor behind which nothing is published. */
  readonly end: { cursor: string };
}) {
  const platform = createVirtualPlatform({ seed: 1 });
  const messages: string[] = [];
  const states: unknown[] = [];
  const answers: ("again" | "refused")[] = [];
  const runs: { left: boolean; more: (change: string) => void }[] = [];
  let finished = 0;
  async function* events({
    signal,
    onStill,
  }: Pick<ScriptRun, "signal" | "onStill">): AsyncGenerator<SqlEvent, void> {
    let more = Promise.withResolvers<string>();
    const run = { left: false, more: (change: string) => more.resolve(change) };
    runs.push(run);
    signal.addEventListener("abort", () => more.resolve(""));
    try {
      yield { kind: "columns", columns, goesOn: true };
      for (;;) {
        const cursor = await more.promise;
        if (signal.aborted) return;
        more = Promise.withResolvers();
        yield { kind: "change", change: { kind: "insert", row: row(1), cursor } };
        onStill?.(cursor);
      }
    } finally {
      run.left = true;
    }
  }
  const handler = new SqlSocket({
    ...{ platform, events, frames: "messages", shutdown: new AbortController().signal },
    ...(options.rested && { rested: options.rested }),
    isStill: async (cursor) => cursor === options.end.cursor,
    stateOf: (state) => JSON.stringify(state),
    finish: () => {
      finished += 1;
    },
  });
  const socket: MessageSocket = {
    bufferedBytes: 0,
    send: (message) => void messages.push(String(message)),
    close: (code) => void messages.push(`closed ${code}`),
    rest: (state) => {
      const answer = answers.shift();
      if (answer !== undefined) return answer;
      states.push(JSON.parse(state));
      return "resting";
    },
  };
  return { handler, socket, platform, messages, states, answers, runs, ended: () => finished };
}

const silence = 15_000;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a socket rests when its view was still for a while, with its place and its credit", async () => {
  const end = { cursor: "c1" };
  const { handler, socket, platform, messages, states, runs, ended } = following({ end });
  await handler.begin();
  handler.opened(socket);
  handler.received('{"credit":5}');
  await turn();
  runs[0]?.more("c1");
  await turn();
  await platform.advance(silence);
  expect([messages.length, states]).toEqual([3, []]);
  await platform.advance(silence);
  await turn();
  expect(states).toEqual([{ cursor: "c1", credit: 4 }]);
  expect([messages.length, runs[0]?.left, ended()]).toEqual([3, true, 1]);
});

test("a socket does not rest while something is published that it has not given", async () => {
  const end = { cursor: "c1" };
  const opened = following({ end });
  const { handler, socket, platform, messages, states, answers, runs } = opened;
  await handler.begin();
  handler.opened(socket);
  handler.received('{"credit":5}');
  await turn();
  runs[0]?.more("c1");
  await turn();
  // Known to be published, and on its way.
  end.cursor = "c2";
  await platform.advance(3 * silence);
  await turn();
  expect(states).toEqual([]);
  runs[0]?.more("c2");
  await turn();
  expect(messages.at(-1)).toContain('"cursor":"c2"');
  answers.push("again", "again");
  await platform.advance(silence);
  await turn();
  expect(states).toEqual([]);
  await platform.advance(silence);
  await turn();
  expect([states, answers]).toEqual([[{ cursor: "c2", credit: 3 }], []]);
  handler.closed();
});

test("a socket that rested runs its query only for news of its view, without the columns", async () => {
  const rested = { cursor: "c1", credit: 4 };
  const calm = following({ rested, end: { cursor: "c1" } });
  calm.handler.opened(calm.socket);
  calm.handler.received('{"credit":2}');
  await turn();
  expect([calm.runs.length, calm.states, calm.ended()]).toEqual([0, [{ ...rested, credit: 6 }], 1]);
  const woken = following({ rested, end: { cursor: "c2" } });
  woken.handler.opened(woken.socket);
  await turn();
  woken.runs[0]?.more("c2");
  await turn();
  expect(woken.messages).toEqual(['{"cursor":"c2","data":{"change":"insert","row":{"n":1}}}']);
  woken.handler.closed();
  await turn();
  expect([woken.runs[0]?.left, woken.ended()]).toEqual([true, 1]);
});
