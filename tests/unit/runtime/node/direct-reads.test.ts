import { describe, expect, test } from "bun:test";
import { DirectReads } from "../../../../src/runtime/node/direct-reads.ts";

const megabyte = 1_000_000;

/** Reads of 100 MB, one after the other, each of which takes `readMs` of the given clock. */
async function readFor(reads: DirectReads, clock: { now: number }, readMs: number): Promise<void> {
  await reads.read(() => {
    clock.now += readMs;
    return Promise.resolve({ bytesRead: 100 * megabyte });
  });
}

function refused(): Promise<never> {
  return Promise.reject(
    Object.assign(new Error("EINVAL: invalid argument, read"), { code: "EINVAL" }),
  );
}

describe("DirectReads", () => {
  test("go on while the disk is quick", async () => {
    const clock = { now: 0 };
    const reads = new DirectReads(() => clock.now);
    for (let round = 0; round < 10; round++) await readFor(reads, clock, 600);
    expect(reads.areWanted).toBe(true);
  });

  test("pause for half a minute when it is slow, and are tried again", async () => {
    const clock = { now: 0 };
    const reads = new DirectReads(() => clock.now);
    await readFor(reads, clock, 700);
    expect(reads.areWanted).toBe(false);
    clock.now += 29_999;
    expect(reads.areWanted).toBe(false);
    clock.now += 1;
    expect(reads.areWanted).toBe(true);
    await readFor(reads, clock, 100);
    expect(reads.areWanted).toBe(true);
  });

  test("count the time in which some are under way once, and none between them", async () => {
    const clock = { now: 0 };
    const reads = new DirectReads(() => clock.now);
    const ends: (() => void)[] = [];
    const begin = () =>
      new Promise<{ bytesRead: number }>((resolve) => {
        ends.push(() => resolve({ bytesRead: 30 * megabyte }));
      });
    const underWay = [1, 2, 3, 4].map(() => reads.read(begin));
    clock.now += 700;
    for (const end of ends) end();
    await Promise.all(underWay);
    clock.now += 100_000;
    expect(reads.areWanted).toBe(true);
    await readFor(reads, clock, 600);
    expect(reads.areWanted).toBe(true);
  });

  test("take no time while their own clock stands", async () => {
    const [clock, waited] = [{ now: 0 }, { now: 0 }];
    const reads = new DirectReads(
      () => clock.now,
      () => waited.now,
    );
    await readFor(reads, clock, 100_000);
    expect(reads.areWanted).toBe(true);
    await readFor(reads, waited, 700);
    expect(reads.areWanted).toBe(false);
    clock.now += 30_000;
    expect(reads.areWanted).toBe(true);
  });

  test("give undefined when the kernel refuses, and pause after three refusals in a row", async () => {
    const clock = { now: 0 };
    const reads = new DirectReads(() => clock.now);
    expect(await reads.read(refused)).toBeUndefined();
    expect(await reads.read(refused)).toBeUndefined();
    await readFor(reads, clock, 1);
    expect(await reads.read(refused)).toBeUndefined();
    expect(await reads.read(refused)).toBeUndefined();
    expect(reads.areWanted).toBe(true);
    expect(await reads.read(refused)).toBeUndefined();
    expect(reads.areWanted).toBe(false);
  });

  test("throw what else goes wrong", async () => {
    const reads = new DirectReads(() => 0);
    const failure = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    expect(reads.read(() => Promise.reject(failure))).rejects.toBe(failure);
  });
});
