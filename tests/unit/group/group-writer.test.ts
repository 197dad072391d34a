import { expect, test } from "bun:test";
import { StreamError } from "../../../src/base/stream-error.ts";
import { GroupWriter } from "../../../src/group/group-writer.ts";
import { queuedOffsetsMax, writtenOffsetsMax } from "../../../src/group/limits.ts";
import { storedOffset } from "../../../src/group/offsets.ts";
import { offsetOf, watch } from "../../support/group-fixture.ts";
import { MemoryGroups } from "../../support/memory-group-store.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

async function createWriter() {
  const platform = createVirtualPlatform({ seed: 1 });
  const metadata = new MemoryGroups({ platform, delayMs: () => 10 });
  const { store, leases } = metadata.worker(1);
  const acquired = watch(leases.acquire("g"));
  await platform.advance(10);
  if (acquired.value?.kind !== "held") throw new Error("the lease is free");
  const lost: StreamError[] = [];
  const guard = { groupId: "g", leaseEpoch: acquired.value.leaseEpoch };
  const writer = new GroupWriter(store, guard, (error) => lost.push(error));
  return { platform, metadata, writer, lost };
}

function offsets(count: number, first = 0) {
  return Array.from({ length: count }, (_, index) =>
    storedOffset(offsetOf("orders", first + index, 1), 0, null),
  );
}

test("writer runs its work one at a time in the order asked", async () => {
  const { platform, writer } = await createWriter();
  const order: string[] = [];
  const slow = writer.run(async () => {
    order.push("a begins");
    await platform.timers.sleep(100);
    order.push("a ends");
  });
  writer.commit(offsets(1)).then(() => order.push("commit"));
  writer.run(async () => order.push("b"));
  await platform.advance(200);
  await slow;
  expect(order).toEqual(["a begins", "a ends", "commit", "b"]);
  expect(writer.isIdle).toBe(true);
});

test("writer does not merge commits over other work, nor beyond one write's size", async () => {
  const { platform, metadata, writer } = await createWriter();
  writer.commit(offsets(1));
  writer.run(async () => undefined);
  writer.commit(offsets(writtenOffsetsMax - 1));
  writer.commit(offsets(1, 10_000));
  writer.commit(offsets(1, 20_000));
  await platform.advance(200);
  expect(metadata.commits.map((offsets) => offsets.length)).toEqual([1, writtenOffsetsMax, 1]);
});

test("writer refuses offsets beyond its bound and takes them again when it caught up", async () => {
  const { platform, writer } = await createWriter();
  const taken = watch(writer.commit(offsets(queuedOffsetsMax)));
  const refused = watch(writer.commit(offsets(1)));
  await platform.settle();
  expect(refused.error?.code).toBe("queue_full");
  await platform.advance(100);
  expect(taken.value).toHaveLength(queuedOffsetsMax);
  const again = watch(writer.commit(offsets(1)));
  await platform.advance(100);
  expect(again.value).toEqual([null]);
});

test("writer tells who owns it when the lease is lost", async () => {
  const { platform, metadata, writer, lost } = await createWriter();
  metadata.closeWorker(1);
  const refused = watch(writer.commit(offsets(1)));
  await platform.advance(100);
  expect(refused.error?.code).toBe("coordinator_elsewhere");
  expect(lost).toHaveLength(1);
});

test("writer gives failures that are no StreamError a code", async () => {
  const { platform, writer } = await createWriter();
  const failed = watch(
    writer.run(() => {
      throw new TypeError("a driver's own");
    }),
  );
  await platform.settle();
  expect(failed.error?.code).toBe("coordinator_unavailable");
  expect(failed.error?.cause).toBeInstanceOf(TypeError);
});

test("writer that is closed fails what waits and what comes", async () => {
  const { platform, writer } = await createWriter();
  const running = watch(writer.run(() => platform.timers.sleep(50)));
  await platform.settle();
  const waiting = watch(writer.commit(offsets(1)));
  writer.close(new StreamError("shutting_down", "the end"));
  const late = watch(writer.run(async () => 1));
  await platform.advance(100);
  expect(running.error).toBeUndefined();
  expect([waiting.error?.code, late.error?.code]).toEqual(["shutting_down", "shutting_down"]);
});
