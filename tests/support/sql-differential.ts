/**
 * Random queries in two dialects: as Millrace runs them over a log, and as plain SQLite over the whole
 * input at once, windows being computed there.
 */
import { Database } from "bun:sqlite";
import fc from "fast-check";
import { type CasePublish, parseCase, type SqlCase } from "./sql-case.ts";

/** The same expression for both. */
interface Twin {
  readonly ours: string;
  readonly theirs: string;
}

export interface InputRow {
  readonly k: string | null;
  readonly v: number | null;
  readonly w: number | null;
  /** Milliseconds behind those of the row before, at most `disorderMs` back. */
  readonly stepMs: number;
  readonly backMs: number;
  readonly partition: number;
  /** Whether another publish begins with it. */
  readonly isFirst: boolean;
}

const baseMs = Date.UTC(2026, 0, 1);
const disorderMs = 5_000;

const same = (text: string): Twin => ({ ours: text, theirs: text });
const over = (parts: readonly Twin[], join: (texts: readonly string[]) => string): Twin => ({
  ours: join(parts.map(({ ours }) => ours)),
  theirs: join(parts.map(({ theirs }) => theirs)),
});

const small = fc
  .integer({ min: -3, max: 9 })
  .map((each) => same(each < 0 ? `(${each})` : `${each}`));

const terms = fc.letrec<{ number: Twin; text: Twin; condition: Twin }>((tie) => ({
  number: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(same("v"), same("w")),
    small,
    fc
      .tuple(tie("number"), fc.constantFrom("+", "-", "*"), tie("number"))
      .map(([a, sign, b]) => over([a, b], ([x, y]) => `(${x} ${sign} ${y})`)),
    tie("number").map((a) => over([a], ([x]) => `ABS(${x})`)),
    fc
      .tuple(tie("number"), tie("number"))
      .map((parts) => over(parts, ([x, y]) => `COALESCE(${x}, ${y})`)),
    fc
      .tuple(tie("number"), tie("number"))
      .map((parts) => over(parts, ([x, y]) => `NULLIF(${x}, ${y})`)),
    fc
      .tuple(tie("condition"), tie("number"), tie("number"))
      .map((parts) => over(parts, ([c, x, y]) => `CASE WHEN ${c} THEN ${x} ELSE ${y} END`)),
    tie("text").map((a) => ({ ours: `CHAR_LENGTH(${a.ours})`, theirs: `LENGTH(${a.theirs})` })),
  ),
  text: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constant(same("k")),
    fc.constantFrom(same("'a'"), same("'zz'")),
    tie("text").map((a) => over([a], ([x]) => `UPPER(${x})`)),
    fc.tuple(tie("text"), tie("text")).map((parts) => over(parts, ([x, y]) => `(${x} || ${y})`)),
  ),
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc
      .tuple(tie("number"), fc.constantFrom("<", "<=", "=", "<>", ">"), tie("number"))
      .map(([a, sign, b]) => over([a, b], ([x, y]) => `(${x} ${sign} ${y})`)),
    fc
      .tuple(tie("text"), fc.constantFrom("=", "<>", "<"), tie("text"))
      .map(([a, sign, b]) => over([a, b], ([x, y]) => `(${x} ${sign} ${y})`)),
    tie("number").map((a) => over([a], ([x]) => `(${x} IS NULL)`)),
    tie("text").map((a) => over([a], ([x]) => `(${x} IS NOT NULL)`)),
    tie("number").map((a) => over([a], ([x]) => `(${x} BETWEEN 1 AND 5)`)),
    tie("text").map((a) => over([a], ([x]) => `(${x} NOT IN ('a', 'B'))`)),
    tie("condition").map((a) => over([a], ([x]) => `(NOT ${x})`)),
    fc
      .tuple(tie("condition"), fc.constantFrom("AND", "OR"), tie("condition"))
      .map(([a, word, b]) => over([a, b], ([x, y]) => `(${x} ${word} ${y})`)),
  ),
}));

const filter = fc
  .option(terms.condition)
  .map((each) => (each === null ? same("") : over([each], ([x]) => ` FILTER (WHERE ${x})`)));

const aggregate: fc.Arbitrary<Twin> = fc.oneof(
  filter.map((where) => over([where], ([f]) => `COUNT(*)${f}`)),
  fc
    .tuple(
      fc.constantFrom("COUNT", "SUM", "MIN", "MAX"),
      fc.constantFrom("", "DISTINCT "),
      terms.number,
      filter,
    )
    .map(([name, distinct, a, where]) =>
      over([a, where], ([x, f]) => `${name}(${distinct}${x})${f}`),
    ),
  fc
    .tuple(fc.constantFrom("COUNT", "MIN", "MAX"), terms.text, filter)
    .map(([name, a, where]) => over([a, where], ([x, f]) => `${name}(${x})${f}`)),
  // AVG of a whole number is one, cut off.
  fc.tuple(terms.number, filter).map(([a, f]) => ({
    ours: `AVG(${a.ours})${f.ours}`,
    theirs: `SUM(${a.theirs})${f.theirs} / COUNT(${a.theirs})${f.theirs}`,
  })),
);

/** Groups are by expressions over columns, never by a constant. */
const key = fc.oneof(
  fc.constantFrom(same("k"), same("v")),
  terms.number.map((each) => over([each], ([x]) => `(v + ${x})`)),
  terms.text.map((each) => over([each], ([x]) => `(k || ${x})`)),
);

interface Window {
  /** The table that rows come from. */
  readonly from: Twin;
}

const seconds = (count: number) => `INTERVAL '${count}' SECOND`;

const window: fc.Arbitrary<Window> = fc.oneof(
  fc.integer({ min: 1, max: 20 }).map((size) => windowOf("TUMBLE", [size], size, size)),
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }))
    .map(([slide, times]) => windowOf("HOP", [slide, slide * times], slide, slide * times)),
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }))
    .map(([step, times]) => cumulateOf(step, step * times)),
);

/** Windows begin at whole steps since 1970. */
const anchor = (stepMs: number) => baseMs - (baseMs % stepMs);

function windowOf(name: string, parts: readonly number[], slide: number, size: number): Window {
  const starts =
    `WITH RECURSIVE n(i) AS (SELECT -100 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) ` +
    `SELECT ${anchor(slide * 1000)} + i * ${slide * 1000} AS window_start, ` +
    `${anchor(slide * 1000)} + i * ${slide * 1000} + ${size * 1000} AS window_end FROM n`;
  return fromOf(name, parts, starts);
}

function cumulateOf(step: number, size: number): Window {
  const starts =
    `WITH RECURSIVE n(i) AS (SELECT -100 UNION ALL SELECT i + 1 FROM n WHERE i < 1000), ` +
    `m(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM m WHERE j < ${size / step}) ` +
    `SELECT ${anchor(size * 1000)} + i * ${size * 1000} AS window_start, ` +
    `${anchor(size * 1000)} + i * ${size * 1000} + j * ${step * 1000} AS window_end FROM n, m`;
  return fromOf("CUMULATE", [step, size], starts);
}

function fromOf(name: string, parts: readonly number[], windows: string): Window {
  return {
    from: {
      ours: `TABLE(${name}(TABLE t, DESCRIPTOR(ts), ${parts.map(seconds).join(", ")}))`,
      theirs: `(SELECT * FROM t JOIN (${windows}) ON ts >= window_start AND ts < window_end)`,
    },
  };
}

/** `windows` are columns that are times: text here, milliseconds there. */
export interface TwinQuery extends Twin {
  readonly windows: number;
  readonly isSequence: boolean;
}

const where = fc
  .option(terms.condition)
  .map((each) => (each === null ? same("") : over([each], ([x]) => ` WHERE ${x}`)));

const having = fc.option(fc.tuple(aggregate, fc.integer({ min: 0, max: 3 })), { freq: 3 });

const projection: fc.Arbitrary<TwinQuery> = fc
  .tuple(fc.array(fc.oneof(terms.number, terms.text), { minLength: 1, maxLength: 3 }), where)
  .map(([list, w]) => {
    const query = over([...list, w], (texts) => {
      const columns = texts.slice(0, -1).map((each, index) => `${each} AS c${index}`);
      return `SELECT ${columns.join(", ")} FROM t${texts.at(-1)}`;
    });
    return { ...query, windows: 0, isSequence: true };
  });

const grouping = fc.tuple(
  fc.array(key, { maxLength: 2 }),
  fc.array(aggregate, { minLength: 1, maxLength: 3 }),
  where,
);

const group: fc.Arbitrary<TwinQuery> = grouping.map(([keys, list, w]) => {
  const query = over([...keys, ...list, w], (texts) => groupText(texts, keys.length, "t", []));
  return { ...query, windows: 0, isSequence: false };
});

const windowGroup: fc.Arbitrary<TwinQuery> = fc
  .tuple(grouping, window, having)
  .map(([[keys, list, w], { from }, limit]) => {
    const bounds = ["window_start", "window_end"];
    const query = over([...keys, ...list, w, from], (texts) =>
      groupText(texts.slice(0, -1), keys.length, texts.at(-1) ?? "", bounds),
    );
    if (limit === null) return { ...query, windows: 2, isSequence: false };
    const [agg, least] = limit;
    const all = over([query, agg], ([q, a]) => `${q} HAVING COUNT(*) > ${least} OR ${a} IS NULL`);
    return { ...all, windows: 2, isSequence: false };
  });

/** An aggregate over the groups' number: what is taken back below no longer counts. */
const groupOfGroups: fc.Arbitrary<TwinQuery> = fc
  .tuple(key, aggregate, where, fc.constantFrom("SUM", "MIN", "MAX", "COUNT"))
  .map(([k, agg, w, name]) => {
    const query = over([k, agg, w], ([x, a, f]) => {
      const inner = `SELECT ${x} AS g, COUNT(*) AS n, ${a} AS a FROM t${f} GROUP BY ${x}`;
      const value = name === "SUM" ? "n" : "a";
      return `SELECT n, COUNT(*) AS keys, ${name}(${value}) AS x FROM (${inner}) AS s GROUP BY n`;
    });
    return { ...query, windows: 0, isSequence: false };
  });

function groupText(
  texts: readonly string[],
  keyCount: number,
  from: string,
  bounds: readonly string[],
): string {
  const keys = texts.slice(0, keyCount);
  const columns = texts.slice(0, -1).map((each, index) => `${each} AS c${index}`);
  const by = [...bounds, ...keys];
  const tail = by.length === 0 ? "" : ` GROUP BY ${by.join(", ")}`;
  return `SELECT ${[...bounds, ...columns].join(", ")} FROM ${from}${texts.at(-1)}${tail}`;
}

const sameWindow = "l.window_start = r.window_start AND l.window_end = r.window_end";

const side = fc.tuple(window, fc.option(terms.condition));

/** A side of a join: rows of a window, filtered, which have the columns of `t`. */
function sideOf({ from }: Window, condition: Twin | null): Twin {
  const text = (table: string, test: string) => `(SELECT * FROM ${table}${test})`;
  return {
    ours: text(from.ours, condition === null ? "" : ` WHERE ${condition.ours}`),
    theirs: text(from.theirs, condition === null ? "" : ` WHERE ${condition.theirs}`),
  };
}

const windowJoin: fc.Arbitrary<TwinQuery> = fc
  .tuple(
    ...[side, fc.option(terms.condition), fc.constantFrom("", "LEFT ", "RIGHT ", "FULL ")],
    fc.constantFrom("l.k = r.k", "l.v = r.v AND l.w < r.w", "l.v = r.w", "l.v + 1 = r.v"),
  )
  .map(([[table, left], right, kind, on]) => {
    const query = over([sideOf(table, left), sideOf(table, right)], ([l, r]) => {
      const list = "l.window_start, r.window_end, l.k AS c0, l.v AS c1, r.k AS c2, r.w AS c3";
      return `SELECT ${list} FROM ${l} l ${kind}JOIN ${r} r ON ${on} AND ${sameWindow}`;
    });
    return { ...query, windows: 2, isSequence: false };
  });

const windowTest: fc.Arbitrary<TwinQuery> = fc
  .tuple(
    ...[side, fc.option(terms.condition)],
    fc.constantFrom("l.v IN (SELECT r.w", "l.v NOT IN (SELECT r.v", "l.k NOT IN (SELECT r.k"),
    fc.constantFrom("", " AND l.k = r.k", " AND r.v > 2"),
    fc.boolean(),
  )
  .map(([[table, left], right, test, and, isExists]) => {
    const head = isExists ? test.replace(/^\S+ (NOT )?IN/, "$1EXISTS") : test;
    const query = over([sideOf(table, left), sideOf(table, right)], ([l, r]) => {
      const list = "l.window_start, l.window_end, l.k AS c0, l.v AS c1";
      return `SELECT ${list} FROM ${l} l WHERE ${head} FROM ${r} r WHERE ${sameWindow}${and})`;
    });
    return { ...query, windows: 2, isSequence: false };
  });

/** What ties are equal in all that is shown. */
const windowRank: fc.Arbitrary<TwinQuery> = fc
  .tuple(
    ...[window, where, fc.constantFrom("", ", k", ", v"), fc.constantFrom("", " DESC")],
    fc.integer({ min: 1, max: 4 }),
  )
  .map(([{ from }, w, by, direction, limit]) => {
    const query = over([from, w], ([table, test]) => {
      const ranked = `PARTITION BY window_start, window_end${by} ORDER BY v${direction}, w, k`;
      const inner = `SELECT *, ROW_NUMBER() OVER (${ranked}) AS n FROM ${table}${test}`;
      const list = "window_start, window_end, k AS c0, v AS c1, w AS c2, n AS c3";
      return `SELECT ${list} FROM (${inner}) AS s WHERE n <= ${limit}`;
    });
    return { ...query, windows: 2, isSequence: false };
  });

/** Rows of a key that are no further apart than the gap. WHERE comes behind the sessions. */
const session: fc.Arbitrary<TwinQuery> = fc
  .tuple(
    ...[fc.integer({ min: 1, max: 8 }), where],
    fc.array(aggregate, { minLength: 1, maxLength: 3 }),
  )
  .map(([gap, w, list]) => {
    const gapMs = gap * 1000;
    const parted = `SELECT *, ts - LAG(ts) OVER (PARTITION BY k ORDER BY ts) > ${gapMs} AS is_new FROM t`;
    const numbered = `SELECT *, SUM(is_new IS 1) OVER (PARTITION BY k ORDER BY ts) AS s FROM (${parted})`;
    const from: Twin = {
      ours: `TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), ${seconds(gap)}))`,
      theirs:
        "(SELECT *, MIN(ts) OVER (PARTITION BY k, s) AS window_start, " +
        `MAX(ts) OVER (PARTITION BY k, s) + ${gapMs} AS window_end FROM (${numbered}))`,
    };
    const query = over([same("k"), ...list, w, from], (texts) =>
      groupText(texts.slice(0, -1), 1, texts.at(-1) ?? "", ["window_start", "window_end"]),
    );
    return { ...query, windows: 2, isSequence: false };
  });

const distinct: fc.Arbitrary<TwinQuery> = fc
  .tuple(fc.array(key, { minLength: 1, maxLength: 2 }), where)
  .map(([keys, w]) => {
    const query = over([...keys, w], (texts) => {
      const columns = texts.slice(0, -1).map((each, index) => `${each} AS c${index}`);
      return `SELECT DISTINCT ${columns.join(", ")} FROM t${texts.at(-1)}`;
    });
    return { ...query, windows: 0, isSequence: false };
  });

/** Groups of the rows of two selections. */
const union: fc.Arbitrary<TwinQuery> = fc
  .tuple(terms.number, terms.number, where, where, fc.constantFrom("SUM", "MIN", "COUNT"))
  .map(([a, b, first, second, name]) => {
    const query = over([a, b, first, second], ([x, y, f, g]) => {
      const both = `SELECT k, ${x} AS x FROM t${f} UNION ALL SELECT k, ${y} AS x FROM t${g}`;
      return `SELECT k, COUNT(*) AS c0, ${name}(x) AS c1 FROM (${both}) AS s GROUP BY k`;
    });
    return { ...query, windows: 0, isSequence: false };
  });

export const twinQuery: fc.Arbitrary<TwinQuery> = fc.oneof(
  { arbitrary: projection, weight: 1 },
  { arbitrary: group, weight: 2 },
  { arbitrary: windowGroup, weight: 4 },
  { arbitrary: groupOfGroups, weight: 2 },
  { arbitrary: windowJoin, weight: 2 },
  { arbitrary: windowTest, weight: 2 },
  { arbitrary: windowRank, weight: 2 },
  { arbitrary: session, weight: 2 },
  { arbitrary: distinct, weight: 1 },
  { arbitrary: union, weight: 1 },
);

export const inputRows: fc.Arbitrary<readonly InputRow[]> = fc.array(
  fc.record({
    k: fc.option(fc.constantFrom("a", "B", "zz", "", "日"), { freq: 5 }),
    v: fc.option(fc.integer({ min: -5, max: 9 }), { freq: 5 }),
    w: fc.option(fc.integer({ min: -1000, max: 1000 }), { freq: 5 }),
    stepMs: fc.integer({ min: 0, max: 4_000 }),
    backMs: fc.integer({ min: 0, max: disorderMs }),
    partition: fc.integer({ min: 0, max: 1 }),
    isFirst: fc.boolean(),
  }),
  { maxLength: 40, size: "max" },
);

/** The case that a query over these rows is. */
export function caseOf(query: TwinQuery, rows: readonly InputRow[]): SqlCase {
  const script =
    "CREATE STREAM t (k STRING, v BIGINT, w BIGINT, ts TIMESTAMP(3), " +
    `WATERMARK FOR ts AS ts - INTERVAL '${disorderMs / 1000}' SECOND) ` +
    "WITH ('topic' = 't', 'format' = 'json');\n";
  const base = parseCase("random", script + query.ours);
  const partitions = [0, 1].map((partition) => ({ topic: "t", partition }));
  return { ...base, partitions, publishes: publishesOf(rows, query.isSequence) };
}

function publishesOf(rows: readonly InputRow[], onePartition: boolean): CasePublish[] {
  const publishes: CasePublish[] = [];
  const times = timesOf(rows);
  let run: {
    readonly partition: number;
    records: CasePublish["runs"][number]["records"][number][];
  };
  run = { partition: -1, records: [] };
  for (const [index, row] of rows.entries()) {
    const partition = onePartition ? 0 : row.partition;
    const { k, v, w } = row;
    const ts = new Date(times[index] ?? 0).toISOString();
    const value = new TextEncoder().encode(JSON.stringify({ k, v, w, ts }));
    if (row.isFirst || run.partition !== partition) {
      run = { partition, records: [] };
      const publishedAt = Math.max(...times.slice(0, index + 1));
      publishes.push({ publishedAt, created: [], runs: [{ topic: "t", ...run }] });
    }
    run.records.push({ timestamp: 0, key: null, value });
  }
  return publishes;
}

function timesOf(rows: readonly InputRow[]): number[] {
  let clock = baseMs;
  return rows.map(({ stepMs, backMs }) => {
    clock += stepMs;
    return clock - backMs;
  });
}

/** Rows that plain SQLite gives for it, as arrays. */
export function plainRows(query: TwinQuery, rows: readonly InputRow[]): unknown[][] {
  const database = new Database(":memory:");
  try {
    database.run("CREATE TABLE t (k TEXT, v INTEGER, w INTEGER, ts INTEGER)");
    const insert = database.prepare("INSERT INTO t VALUES (?, ?, ?, ?)");
    for (const [index, time] of timesOf(rows).entries()) {
      const row = rows[index];
      insert.run(row?.k ?? null, row?.v ?? null, row?.w ?? null, time);
    }
    return database.query(query.theirs).values();
  } finally {
    database.close();
  }
}

/** A result's JSON as such an array. */
export function arrayOf(value: string, { windows }: TwinQuery): unknown[] {
  const cells = Object.values(JSON.parse(value) as Record<string, unknown>);
  return cells.map((cell, index) =>
    index < windows && typeof cell === "string" ? Date.parse(`${cell.replace(" ", "T")}Z`) : cell,
  );
}
