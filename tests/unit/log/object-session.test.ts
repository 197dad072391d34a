/** WorkerSession of a Durable Object, beside processes that share its metadata. */
import { describe, expect, test } from "bun:test";
import type { WorkerDescription } from "../../../src/log/log-options.ts";
import { WorkerSession } from "../../../src/log/worker-session.ts";
import { migrate } from "../../../src/meta/migrate.ts";
import type { SqlDatabase } from "../../../src/meta/sql-database.ts";
import { closeWorker, listWorkers } from "../../../src/meta/workers.ts";
import { memoryDatabase } from "../../support/log-stack.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

const address = { kafkaHost: "", kafkaPort: 0, httpUrl: "" };
const process: WorkerDescription = { kind: "process", ...address };
const object: WorkerDescription = { kind: "durable_object", objectName: "log/0", ...address };

async function fixture() {
  const platform = createVirtualPlatform({ seed: 1 });
  const database: SqlDatabase = memoryDatabase();
  await migrate(database);
  const mended: number[] = [];
  async function open(worker: WorkerDescription, through = database): Promise<WorkerSession> {
    const session = new WorkerSession({
      ...{ platform, database: through, shared: true, worker },
      mend: async (workerEpoch) => void mended.push(workerEpoch),
      onBeat: async () => {},
      isUsedUp: async () => false,
      onRenewed: () => {},
    });
    await session.open();
    return session;
  }
  return { platform, database, mended, open };
}

const stateOf = async (database: SqlDatabase, session: WorkerSession) => {
  const { workerEpoch } = session.current();
  return (await listWorkers(database)).find((worker) => worker.workerEpoch === workerEpoch);
};

describe("WorkerSession of a Durable Object", () => {
  test("raises no counter, leaves no timer, and processes let it be", async () => {
    const { platform, database, open } = await fixture();
    const asleep = await open(object);
    await platform.runUntilIdle();
    const peer = await open(process);
    await platform.advance(60_000);
    expect(await stateOf(database, asleep)).toMatchObject({ counter: 0, kind: "durable_object" });
    await peer.close({ isMended: true });
  });

  test("closes its predecessor and looks after its remains, and no process's", async () => {
    const { platform, database, mended, open } = await fixture();
    const peer = await open(process);
    const first = await open(object);
    const second = await open(object);
    expect(await stateOf(database, first)).toBeUndefined();
    expect(await stateOf(database, second)).toBeDefined();
    expect(await stateOf(database, peer)).toBeDefined();
    await platform.advance(1);
    expect(mended).toEqual([first.current().workerEpoch]);
    await peer.close({ isMended: true });
  });

  test("asks a far database in two turns: its epoch, then what that leads to", async () => {
    const { platform, database, open } = await fixture();
    await open(object);
    const turnMs = 100;
    const far: SqlDatabase = {
      description: "far",
      close: async () => {},
      async batch(statements, mode) {
        await platform.timers.sleep(turnMs);
        return await database.batch(statements, mode);
      },
    };
    const since = platform.clock.monotonic();
    let openedMs: number | undefined;
    const opening = open(object, far).then(() => {
      openedMs = platform.clock.monotonic() - since;
    });
    await platform.advance(10 * turnMs);
    await opening;
    expect(openedMs).toBe(2 * turnMs);
  });

  test("takes a new epoch when its own is closed, and closes nobody", async () => {
    const { database, open } = await fixture();
    const old = await open(object);
    const successor = await open(object);
    const { workerEpoch } = old.current();
    await old.renew(workerEpoch);
    expect(old.current().workerEpoch).toBeGreaterThan(successor.current().workerEpoch);
    expect(await stateOf(database, successor)).toBeDefined();
    const { workerEpoch: lost } = successor.current();
    await closeWorker(database, { workerEpoch: lost, observedCounter: 0 });
    await successor.renew(lost);
    expect(successor.current().workerEpoch).toBeGreaterThan(lost);
  });
});
