/** Input that is wrong, hostile or merely huge: each has a clear outcome, and the query goes on. */
import { afterEach, describe, expect, test } from "bun:test";
import { parseCase, type SqlCase } from "../support/sql-case.ts";
import { planCase, runCase, straight } from "../support/sql-case-run.ts";
import { SqlStack } from "../support/sql-stack.ts";

const encoder = new TextEncoder();

function caseOf(script: string, values: readonly (string | Uint8Array)[]): SqlCase {
  const records = values.map((value) => ({
    ...{ timestamp: 1_767_225_600_000, key: null },
    value: typeof value === "string" ? encoder.encode(value) : value,
  }));
  const run = { topic: "t", partition: 0, records };
  return {
    ...parseCase("bad", script),
    partitions: [{ topic: "t", partition: 0 }],
    publishes: [{ publishedAt: 1_767_225_600_000, created: [], runs: [run] }],
  };
}

function outcome(script: string, values: readonly (string | Uint8Array)[]) {
  const sqlCase = caseOf(script, values);
  const { rows, errors } = runCase(planCase(sqlCase), sqlCase, straight);
  return {
    rows: rows.map(({ value }) => value),
    errors: errors.map(
      (each) => JSON.parse(each) as { offset: number; reason: string; value: string },
    ),
  };
}

const stream = "CREATE STREAM t (id INT, s STRING) WITH ('topic' = 't', 'format' = 'json');\n";

describe("bad input", () => {
  test("a value of 10 MB is a row like others", () => {
    const long = "x".repeat(10 * 1024 * 1024);
    const { rows, errors } = outcome(`${stream}SELECT id, CHAR_LENGTH(s) AS n, s FROM t`, [
      '{"id":1,"s":"a"}',
      `{"id":2,"s":"${long}"}`,
      '{"id":3,"s":"c"}',
    ]);
    expect(errors).toEqual([]);
    expect(rows.map((row) => row?.length)).toEqual([22, 10 * 1024 * 1024 + 28, 22]);
    expect(rows[1]?.slice(0, 28)).toBe('{"id":2,"n":10485760,"s":"xx');
  });

  test("a value of 10 MB that is no JSON is an error row whose value is kept", () => {
    const { rows, errors } = outcome(`${stream}SELECT id FROM t`, [
      "y".repeat(10 * 1024 * 1024),
      '{"id":3}',
    ]);
    expect(rows).toEqual(['{"id":3}']);
    expect(errors.map(({ offset }) => offset)).toEqual([0]);
    expect(errors[0]?.reason).toContain("it is no JSON");
  });

  test("broken UTF-8 in a wanted string is an error row", () => {
    const broken = Uint8Array.of(...encoder.encode('{"id":1,"s":"a'), 0xc3, 0x28, 0x22, 0x7d);
    const { rows, errors } = outcome(`${stream}SELECT id, s FROM t`, [broken, '{"id":2,"s":"é"}']);
    expect(rows).toEqual(['{"id":2,"s":"é"}']);
    expect(errors.map(({ offset }) => offset)).toEqual([0]);
    expect(errors[0]?.reason).toContain("UTF-8");
  });

  test("nesting 10 000 deep is passed over where it is not wanted, or an error row, never a crash", () => {
    const deep = `${'{"s":'.repeat(10_000)}1${"}".repeat(10_000)}`;
    const lists = `{"id":2,"x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
    const { rows, errors } = outcome(`${stream}SELECT id FROM t`, [deep, lists, '{"id":3}']);
    expect(rows.at(-1)).toBe('{"id":3}');
    expect(rows.length + errors.length).toBe(3);
    for (const { reason } of errors) expect(reason).toMatch(/^Cannot decode the value: /);
  });

  test("a JSON function over text nested 10 000 deep gives NULL or an error row, never a crash", () => {
    const script =
      "CREATE STREAM t (s STRING) WITH ('topic' = 't', 'format' = 'raw');\n" +
      "SELECT JSON_VALUE(s, '$.a') AS a, s IS JSON AS j FROM t";
    const { rows, errors } = outcome(script, [
      `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
      '{"a":1}',
    ]);
    expect(rows.at(-1)).toBe('{"a":"1","j":true}');
    expect(rows.length + errors.length).toBe(2);
  });

  test("times before 1970, in year 9999 and in the future are values like others", () => {
    const times = "CREATE STREAM t (ts TIMESTAMP(3)) WITH ('topic' = 't', 'format' = 'json');\n";
    const { rows, errors } = outcome(
      `${times}SELECT ts, EXTRACT(YEAR FROM ts) AS y, ts + INTERVAL '1' DAY AS later FROM t`,
      [
        '{"ts":"1969-12-31 23:59:59.999"}',
        '{"ts":"0001-01-01 00:00:00"}',
        '{"ts":"9999-12-30 00:00:00"}',
        '{"ts":"9999-12-31 23:59:59.999"}',
        '{"ts":"10000-01-01 00:00:00"}',
        '{"ts":"2026-02-30 00:00:00"}',
        '{"ts":-1}',
        '{"ts":99999999999999999}',
      ],
    );
    expect(rows).toEqual([
      '{"ts":"1969-12-31 23:59:59.999","y":1969,"later":"1970-01-01 23:59:59.999"}',
      '{"ts":"0001-01-01 00:00:00.000","y":1,"later":"0001-01-02 00:00:00.000"}',
      '{"ts":"9999-12-30 00:00:00.000","y":9999,"later":"9999-12-31 00:00:00.000"}',
      '{"ts":"1969-12-31 23:59:59.999","y":1969,"later":"1970-01-01 23:59:59.999"}',
    ]);
    expect(errors.map(({ offset }) => offset).sort()).toEqual([3, 4, 5, 7]);
    for (const { offset, reason } of errors) {
      const wanted = offset === 3 ? "years 1 to 9999 are known" : 'Cannot decode "ts" as TIMESTAMP';
      expect(reason).toContain(wanted);
    }
  });

  test("windows take times before 1970 and in year 9999, which do not move the watermark", () => {
    const times =
      "CREATE STREAM t (id INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) " +
      "WITH ('topic' = 't', 'format' = 'json');\n";
    const query =
      "SELECT window_start, COUNT(*) AS n FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR) " +
      "GROUP BY window_start, window_end";
    const sqlCase = caseOf(`${times}${query}`, [
      '{"id":1,"ts":"1969-12-31 23:59:59.999"}',
      '{"id":2,"ts":"9999-12-31 23:00:00"}',
      '{"id":3,"ts":"2026-01-01 00:00:00"}',
      '{"id":4,"ts":"2026-01-01 00:00:01"}',
    ]);
    const { rows, last, late, errors } = runCase(planCase(sqlCase), sqlCase, straight);
    expect([late, errors]).toEqual([[], []]);
    // 2026 is the time of publishing: what lies ahead of it by more than an hour moves nothing.
    expect(rows.map(({ value }) => value)).toEqual([
      '{"window_start":"1969-12-31 23:00:00.000","n":1}',
    ]);
    expect(last.map(({ value }) => value)).toEqual([
      '{"window_start":"2026-01-01 00:00:00.000","n":2}',
      '{"window_start":"9999-12-31 23:00:00.000","n":1}',
    ]);
  });

  test("a statement of 1 MB is refused or runs, and one that is longer says what the bound is", () => {
    const long = `${stream}SELECT id FROM t WHERE s <> '${"x".repeat(1_000_000)}'`;
    expect(outcome(long, ['{"id":1,"s":"a"}']).rows).toEqual(['{"id":1}']);
    const tooLong = `${stream}SELECT id FROM t WHERE s <> '${"x".repeat(1_100_000)}'`;
    expect(() => outcome(tooLong, [])).toThrow(/1048576|1 048 576|1 MiB|1 MB/);
  });

  test("a statement of 1 MB of conditions is refused with its bound", () => {
    const chain = Array.from({ length: 60_000 }, (_, index) => `id = ${index}`).join(" OR ");
    expect(() => outcome(`${stream}SELECT id FROM t WHERE ${chain}`, [])).toThrow(/500|deep|high/);
  });

  test("a list of 5 000 values in IN runs", () => {
    const list = Array.from({ length: 5_000 }, (_, index) => 2 * index).join(", ");
    const { rows } = outcome(`${stream}SELECT id FROM t WHERE id IN (${list})`, [
      '{"id":7}',
      '{"id":100}',
    ]);
    expect(rows).toEqual(['{"id":100}']);
  });
});

describe("topics that change under a query", () => {
  let sql: SqlStack;
  afterEach(() => sql.close());

  const made = `SET 'execution.checkpointing.interval' = '10 ms';
    CREATE STREAM t (id INT) WITH ('partitions' = '1');
    CREATE MATERIALIZED VIEW v AS SELECT id FROM t`;

  async function running(): Promise<void> {
    sql = await SqlStack.open();
    await sql.run(made);
    await sql.append("t", [{ id: 1 }]);
    await sql.until(async () => (await sql.records("v")).length === 1);
  }

  async function failure(): Promise<string> {
    return sql.until(async () => {
      await sql.manager.look();
      const [rows] = (await sql.run("SHOW QUERIES")) as [Record<string, unknown>[]];
      const text = JSON.stringify(rows);
      return text.includes("deleted") && text;
    });
  }

  test("a wrong value larger than a batch may be is cut for the errors topic, and told", async () => {
    await running();
    await sql.append("t", [{ id: "x".repeat(3 * 1024 * 1024) }, { id: 2 }]);
    await sql.until(async () => (await sql.records("v")).length === 2);
    const [record] = await sql.records("v.errors");
    const row = JSON.parse(record?.value ?? "") as Record<string, string | number>;
    expect(row).toMatchObject({ topic: "t", partition: 0, offset: 1 });
    expect(row["valueBytes"]).toBe(3 * 1024 * 1024 + 9);
    expect(record?.value?.length).toBeLessThan(1024 * 1024);
    expect(row["value"]).toStartWith('{"id":"xxx');
  });

  test("a topic that is deleted stops the query, and says so", async () => {
    await running();
    await sql.stack.log.topics.delete((await sql.topic("t")).topicId);
    expect(await failure()).toContain('\\"t\\"');
  });

  test("a topic that is made again is another one: the query does not read it", async () => {
    await running();
    await sql.stack.log.topics.delete((await sql.topic("t")).topicId);
    await sql.stack.log.topics.create({
      ...{ name: "t", partitionCount: 1, replicationFactor: -1, config: {} },
    });
    await sql.append("t", [{ id: 2 }]);
    expect(await failure()).toContain("deleted");
    expect((await sql.records("v")).map(({ value }) => value)).toEqual(['{"id":1}']);
  });

  test("partitions that are added are read from their first record", async () => {
    await running();
    const topic = await sql.topic("t");
    await sql.stack.log.topics.addPartitions(topic.topicId, 3);
    await sql.append("t", [{ id: 2 }], 2);
    await sql.append("t", [{ id: 3 }], 1);
    await sql.until(async () => (await sql.records("v")).length === 3);
    expect((await sql.records("v")).map(({ value }) => value)).toEqual([
      '{"id":1}',
      '{"id":2}',
      '{"id":3}',
    ]);
  });
});
