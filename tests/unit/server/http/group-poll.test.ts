import { describe, expect, test } from "bun:test";
import { present } from "../../../../src/base/assert.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";
import { codecs, crc32c } from "../../../support/record-tools.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

interface Polled {
  readonly records: { topic: string; partition: number; offset: number; value: string }[];
  readonly gaps: object[];
  readonly position: string;
}

/** Topics t (four partitions) and u (one). Time passes while a worker is asked. */
async function fixture() {
  const platform = createVirtualPlatform({ seed: 1, codecs, crc32c });
  const still = createHttpFixture({ platform });
  const timed =
    (asker: HttpFixture["ask"]): HttpFixture["ask"] =>
    async (path, request) => {
      let isAnswered = false;
      const answer = asker(path, request).finally(() => {
        isAnswered = true;
      });
      for (let turn = 0; turn < 40_000 && !isAnswered; turn++) await platform.advance(1);
      return answer;
    };
  const made = { ...still, platform, ask: timed(still.ask), another: () => timed(still.another()) };
  for (const [name, partitions] of [
    ["t", 4],
    ["u", 1],
  ] as const) {
    await made.ask("/v1/topics", { method: "POST", json: { name, partitions } });
  }
  return made;
}

async function append({ ask }: Pick<HttpFixture, "ask">, values: number, topic = "t") {
  const records = Array.from({ length: values }, (_, index) => ({
    ...{ value: `${topic}${index}`, partition: topic === "t" ? index % 4 : 0 },
  }));
  const answer = await ask(`/v1/topics/${topic}/records`, { method: "POST", json: { records } });
  expect(answer.status).toBe(200);
}

async function poll(ask: HttpFixture["ask"], json: object = {}): Promise<Polled> {
  const answer = await ask("/v1/groups/g/poll", {
    method: "POST",
    json: { topics: ["t"], ...json },
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Polled;
}

const valuesOf = ({ records }: Polled) => records.map(({ value }) => value);

async function offsetsOf({ ask }: HttpFixture): Promise<number[]> {
  const { offsets } = (await (await ask("/v1/groups/g")).json()) as {
    offsets: { topic: string; offset: number }[];
  };
  return offsets.map(({ offset }) => offset);
}

describe("polling a group", () => {
  test("gives each record once, and commits with the next poll, at any worker", async () => {
    const made = await fixture();
    await append(made, 10);
    await append(made, 3, "u");
    const topics = { topics: ["t", "u"], max_records: 4 };
    const seen: string[] = [];
    let polled = await poll(made.ask, topics);
    for (let round = 0; round < 10 && polled.records.length > 0; round++) {
      expect(polled.records.length).toBeLessThanOrEqual(4);
      seen.push(...valuesOf(polled));
      polled = await poll(made.another(), { ...topics, position: polled.position });
    }
    const wanted = [...Array(10).keys()].map((index) => `t${index}`);
    expect(seen.sort()).toEqual([...wanted, "u0", "u1", "u2"].sort());
    expect(await offsetsOf(made)).toEqual([3, 3, 2, 2, 3]);
  });

  test("whose answer was lost gives the same again", async () => {
    const made = await fixture();
    await append(made, 8);
    const first = await poll(made.ask, { max_records: 3 });
    const again = { max_records: 8, position: first.position };
    const lost = await poll(made.ask, again);
    const second = await poll(made.ask, again);
    expect(valuesOf(second).sort()).toEqual(valuesOf(lost).sort());
    expect([...valuesOf(first), ...valuesOf(second)].sort()).toEqual(
      [...Array(8).keys()].map((index) => `t${index}`),
    );
  });

  test("waits for records, no longer than it is told", async () => {
    const made = await fixture();
    const first = await poll(made.ask, { wait_ms: 100 });
    expect(first.records).toEqual([]);
    const waiting = poll(made.ask, { wait_ms: 30_000, position: first.position });
    await append(made, 1);
    expect(valuesOf(await waiting)).toEqual(["t0"]);
  });

  test("begins where it is told in what the group has not read", async () => {
    const made = await fixture();
    await append(made, 4);
    const first = await poll(made.ask, { offset: "latest" });
    expect(first.records).toEqual([]);
    await append(made, 4);
    const second = await poll(made.ask, { offset: "latest", position: first.position });
    expect(second.records.map(({ offset }) => offset)).toEqual([1, 1, 1, 1]);
  });

  test("shares partitions between clients, each record to one of them", async () => {
    const made = await fixture();
    const one = await poll(made.ask);
    const two = poll(made.ask, { wait_ms: 2_000 });
    const more = await poll(made.ask, { wait_ms: 2_000, position: one.position });
    const other = await two;
    await append(made, 8);
    const polls = [await poll(made.ask, { position: more.position })];
    polls.push(await poll(made.ask, { position: other.position }));
    expect(polls.map(({ records }) => records.length)).toEqual([4, 4]);
    expect(new Set(polls.flatMap(valuesOf)).size).toBe(8);
  });

  test("a client that comes makes one that waits give up its share at once", async () => {
    const made = await fixture();
    const one = await poll(made.ask);
    const waiting = poll(made.ask, { wait_ms: 30_000, position: one.position });
    const other = poll(made.ask, { wait_ms: 30_000 });
    await made.platform.advance(50);
    await append(made, 4);
    const both = await Promise.all([waiting, other]);
    expect(both.map(({ records }) => records.length)).toEqual([2, 2]);
  });

  test("takes over from a client that is gone, which then commits nothing", async () => {
    const made = await fixture();
    await append(made, 4);
    const slow = await poll(made.ask, { lease_ms: 5_000 });
    expect(slow.records).toHaveLength(4);
    expect(await offsetsOf(made)).toEqual([]);
    await made.platform.advance(5_000);
    const heir = await poll(made.ask);
    expect(heir.records).toHaveLength(4);
    await poll(made.ask, { position: heir.position, max_records: 0 });
    expect(await offsetsOf(made)).toEqual([1, 1, 1, 1]);
    await made.ask("/v1/groups/g/offsets", {
      ...{ method: "PUT", json: { offsets: [{ topic: "t", partition: 0, offset: 0 }] } },
    });
    // What it had was committed by another, and set back since: neither is its business.
    await poll(made.ask, { position: slow.position, max_records: 0 });
    expect(await offsetsOf(made)).toEqual([0, 1, 1, 1]);
  });

  test("with no records commits and leaves: others have the partitions at once", async () => {
    const made = await fixture();
    await append(made, 4);
    const one = await poll(made.ask);
    const last = await poll(made.ask, { position: one.position, max_records: 0 });
    expect(last.records).toEqual([]);
    await append(made, 4);
    expect((await poll(made.ask)).records).toHaveLength(4);
  });

  test("goes on at a coordinator that has never heard of its clients", async () => {
    const made = await fixture();
    await append(made, 8);
    const one = await poll(made.ask);
    expect(one.records).toHaveLength(8);
    const second = made.another();
    // A client that is new asks first, and gets nothing that may have an owner.
    const [next, stranger] = await Promise.all([
      poll(second, { position: one.position }),
      poll(second, { wait_ms: 1_000 }),
    ]);
    expect([...next.records, ...stranger.records]).toEqual([]);
    expect(await offsetsOf(made)).toEqual([2, 2, 2, 2]);
  });

  test("says what retention took, and follows offsets that were set by hand", async () => {
    const made = await fixture();
    await append(made, 12);
    const one = await poll(made.ask, { max_records: 1 });
    const topic = present(await made.log.byName("t"), "topic");
    for (const partition of [0, 1, 2, 3]) await made.log.deleteRecords(topic, partition, 2);
    const two = await poll(made.ask, { position: one.position });
    expect(two.gaps).toHaveLength(4);
    expect(two.gaps).toContainEqual({ topic: "t", partition: 3, from: expect.any(Number), to: 2 });
    const three = await poll(made.ask, { position: two.position });
    expect(three.records).toHaveLength(4);
    const offsets = [{ topic: "t", partition: 1, offset: 2 }];
    const set = await made.ask("/v1/groups/g/offsets", { method: "PUT", json: { offsets } });
    expect(set.status).toBe(200);
    const four = await poll(made.ask, { position: three.position });
    expect(four.records).toEqual([]);
    const back = await made.ask("/v1/groups/g/offsets", { method: "PUT", json: { offsets } });
    expect(back.status).toBe(200);
    const five = await poll(made.ask, { position: four.position });
    expect(five.records).toMatchObject([{ partition: 1, offset: 2 }]);
  });

  test("refuses positions that nobody gave out, wrong bodies, and groups with members", async () => {
    const made = await fixture();
    const { position } = await poll(made.ask);
    const statusOf = async (json: object, group = "g") => {
      const path = `/v1/groups/${group}/poll`;
      return (await made.ask(path, { method: "POST", json: { topics: ["t"], ...json } })).status;
    };
    const [text = "", sum = ""] = position.split(".");
    for (const wrong of ["", "x", text, `${text}.${sum}x`, `A${position}`, position.slice(1)]) {
      expect([wrong, await statusOf({ position: wrong })]).toEqual([wrong, 400]);
    }
    expect(await statusOf({ position }, "h")).toBe(400);
    for (const json of [
      { topics: [] },
      { max_records: -1 },
      { wait_ms: 60_000 },
      { maxRecords: 1 },
    ]) {
      expect([json, await statusOf(json)]).toEqual([json, 400]);
    }
    expect(await statusOf({ topics: ["none"] })).toBe(404);
    const joining = made.context.groups.join({
      ...{ groupId: "g", memberId: "", groupInstanceId: null, clientId: "c", clientHost: "/h" },
      ...{ protocolType: "consumer", protocols: [{ name: "range", metadata: new Uint8Array() }] },
      ...{ sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, reason: null },
      ...{ requireKnownMemberId: false, supportSkippingAssignment: false },
    });
    await made.platform.advance(1_000);
    await joining;
    expect(await statusOf({ position })).toBe(409);
  });
});
