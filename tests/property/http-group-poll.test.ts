/**
 * Clients that poll a group at two coordinators that both believe in themselves, lose answers, die
 * and come: whatever is committed was given to somebody before, and everything is given in the end.
 */
import { describe, expect, test } from "bun:test";
import { createHttpFixture } from "../support/http-fixture.ts";
import { codecs, crc32c } from "../support/record-tools.ts";
import { createVirtualPlatform } from "../support/virtual-platform.ts";

const partitions = 3;

interface Client {
  position: string | undefined;
}

interface Polled {
  readonly records: { partition: number; offset: number }[];
  readonly position: string;
}

async function world(seed: number) {
  const platform = createVirtualPlatform({ seed, codecs, crc32c });
  const fixture = createHttpFixture({ platform });
  const askers = [fixture.ask, fixture.another(), fixture.another()];
  const wait = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    while (!isDone) await platform.advance(5);
    return done;
  };
  const post = (path: string, json: object, asker = 0) =>
    wait((askers[asker] ?? fixture.ask)(path, { method: "POST", json }));
  await post("/v1/topics", { name: "t", partitions });
  const next = (bound: number) => Math.floor(platform.random.uniform() * bound);
  return { platform, fixture, post, next, wait };
}

async function runOnce(seed: number): Promise<void> {
  const { platform, fixture, post, next, wait } = await world(seed);
  const given = Array.from({ length: partitions }, () => new Set<number>());
  const ends = Array.from({ length: partitions }, () => 0);
  let clients: Client[] = [{ position: undefined }];
  const append = async () => {
    const partition = next(partitions);
    const count = 1 + next(4);
    const records = Array.from({ length: count }, (_, value) => ({ value, partition }));
    expect((await post("/v1/topics/t/records", { records })).status).toBe(200);
    ends[partition] = (ends[partition] ?? 0) + count;
  };
  const poll = async (client: Client, wanted: object = {}) => {
    const { position } = client;
    const asked = { topics: ["t"], max_records: 1 + next(4), lease_ms: 1_000, ...wanted };
    const json = position === undefined ? asked : { ...asked, position };
    const answer = await post("/v1/groups/g/poll", json, next(3));
    expect(answer.status).toBe(200);
    const polled = (await answer.json()) as Polled;
    // The answer is lost: the client asks again as before, and has seen nothing of it.
    if (next(4) === 0) return polled;
    for (const { partition, offset } of polled.records) given[partition]?.add(offset);
    client.position = polled.position;
    return polled;
  };
  const committed = async (): Promise<{ partition: number; offset: number }[]> => {
    const answer = await wait(fixture.ask("/v1/groups/g"));
    return ((await answer.json()) as { offsets?: [] }).offsets ?? [];
  };
  const highest = new Map<number, number>();
  const check = async () => {
    for (const { partition, offset } of await committed()) {
      expect(offset).toBeGreaterThanOrEqual(highest.get(partition) ?? 0);
      highest.set(partition, offset);
      for (let each = 0; each < offset; each++) {
        expect({ seed, partition, each, given: given[partition]?.has(each) }).toMatchObject({
          given: true,
        });
      }
    }
  };
  for (let step = 0; step < 60; step++) {
    const client = clients[next(clients.length)];
    const dice = next(10);
    if (dice < 3) await append();
    else if (dice < 8 && client !== undefined) await poll(client);
    else if (dice === 8 && clients.length < 4) clients.push({ position: undefined });
    else if (clients.length > 1) clients = clients.filter((each) => each !== client);
    if (next(5) === 0) await platform.advance(next(2_000));
    if (step % 5 === 0) await check();
  }
  await platform.advance(60_000);
  const last: Client = { position: undefined };
  for (let empty = 0; empty < 40; ) {
    const { records } = await poll(last, { wait_ms: 20 });
    empty = records.length === 0 ? empty + 1 : 0;
    await platform.advance(300);
    if (given.every((offsets, partition) => offsets.size === ends[partition])) break;
  }
  await check();
  expect(given.map(({ size }) => size)).toEqual(ends);
}

describe("groups by polls", () => {
  for (let seed = 1; seed <= 12; seed++) {
    test(`lose nothing and commit nothing that was not given, seed ${seed}`, () => runOnce(seed));
  }
});
