import { describe, expect, test } from "bun:test";
import { consumeGroup, type GroupRecord } from "../../../src/client/consume-group.ts";
import { ClientPlace, problemAnswer } from "../../support/client-place.ts";

async function append(place: ClientPlace, values: readonly unknown[], partition = 0) {
  const json = { records: values.map((value) => ({ value, partition })) };
  await place.fixture.ask("/v1/topics/t/records", { method: "POST", json });
}

/** Takes records until `count`, then ends as `how` says. */
async function take(
  place: ClientPlace,
  count: number,
  how: "abort" | "break",
  options: { readonly maxRecords?: number; readonly leaseMs?: number } = {},
): Promise<unknown[]> {
  const stop = new AbortController();
  const taken: GroupRecord<unknown>[] = [];
  const records = consumeGroup(place.connect(), "g", ["t"], { ...options, signal: stop.signal });
  for await (const record of records) {
    taken.push(record);
    if (taken.length < count) continue;
    if (how === "break") break;
    stop.abort();
  }
  return taken.map(({ value }) => value);
}

async function committed(place: ClientPlace): Promise<number | undefined> {
  const answer = await place.fixture.ask("/v1/groups/g");
  const { offsets } = (await answer.json()) as { readonly offsets?: { offset: number }[] };
  return offsets?.[0]?.offset;
}

describe("consumeGroup", () => {
  test("goes on where the group stopped, with the topic's name and no cursor", async () => {
    const place = await ClientPlace.withTopic();
    await append(place, [1, 2, 3, 4]);
    expect(await take(place, 3, "abort", { maxRecords: 2 })).toEqual([1, 2, 3]);
    expect(await committed(place)).toBe(3);
    const [first] = await Array.fromAsync(
      consumeGroup(place.connect(), "g", ["t"], { signal: AbortSignal.timeout(50) }),
    );
    expect(first).toMatchObject({ topic: "t", partition: 0, offset: 3, value: 4 });
    expect(first).not.toHaveProperty("cursor");
    expect(await committed(place)).toBe(4);
  });

  test("what was not taken is not committed", async () => {
    const place = await ClientPlace.withTopic();
    await append(place, [1, 2, 3, 4]);
    expect(await take(place, 3, "abort")).toEqual([1, 2, 3]);
    expect(await committed(place)).toBe(1);
  });

  test("polls whose answers are lost skip nothing", async () => {
    const place = await ClientPlace.withTopic();
    await append(
      place,
      Array.from({ length: 40 }, (_, n) => n),
    );
    place.fault = () => (place.requests.length % 2 === 1 ? "answer lost" : undefined);
    const values = (await take(place, 40, "break", { maxRecords: 7, leaseMs: 1_000 })) as number[];
    expect(new Set(values)).toEqual(new Set(Array.from({ length: 40 }, (_, n) => n)));
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  });

  test("two share the partitions, and each record is taken by one", async () => {
    const place = await ClientPlace.withTopic(4);
    const stop = new AbortController();
    const taken: [string, number][] = [];
    const partitions = new Map<string, Set<number>>();
    const member = async (name: string) => {
      const options = { signal: stop.signal, maxRecords: 2 };
      for await (const { value, partition } of consumeGroup(
        place.connect<{ t: number }>(),
        "g",
        ["t"],
        options,
      )) {
        taken.push([name, value]);
        partitions.set(name, (partitions.get(name) ?? new Set()).add(partition));
        if (taken.length === 40) stop.abort();
      }
    };
    const members = [member("a"), member("b")];
    for (let round = 0; round < 10; round++) {
      await Bun.sleep(20);
      for (let partition = 0; partition < 4; partition++) {
        await append(place, [round * 4 + partition], partition);
      }
    }
    await Promise.all(members);
    const numbers = taken.map(([, value]) => value).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, n) => n));
    expect([...partitions.keys()].toSorted()).toEqual(["a", "b"]);
  });

  test("what another poll does not mend is thrown", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = () => problemAnswer(409, "group_not_empty");
    const failure = await consumeGroup(place.connect(), "g", ["t"])
      .next()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "group_not_empty" });
  });
});
