import { describe, expect, test } from "bun:test";
import { StreamError } from "../../../src/base/stream-error.ts";
import { WorkerSession } from "../../../src/log/worker-session.ts";
import { migrate } from "../../../src/meta/migrate.ts";
import type { SqlDatabase } from "../../../src/meta/sql-database.ts";
import { closeWorker, listWorkers, registerWorker } from "../../../src/meta/workers.ts";
import { memoryDatabase } from "../../support/log-stack.ts";
import { createVirtualPlatform, type VirtualPlatform } from "../../support/virtual-platform.ts";

const worker = { kind: "process", kafkaHost: "h", kafkaPort: 1, httpUrl: "" } as const;

interface Fixture {
  readonly platform: VirtualPlatform;
  readonly database: SqlDatabase;
  /** While true the metadata does not answer. */
  down: boolean;
  /** So many registrations are done without an answer. */
  answersLost: number;
  renewals: number;
  open(mend?: (workerEpoch: number) => Promise<void>): Promise<WorkerSession>;
}

async function fixture(): Promise<Fixture> {
  const platform = createVirtualPlatform({ seed: 1 });
  const real = memoryDatabase();
  await migrate(real);
  const made: Fixture = {
    platform,
    down: false,
    answersLost: 0,
    renewals: 0,
    database: {
      ...real,
      async batch(statements, mode) {
        if (made.down) throw new StreamError("metadata_unavailable", "down");
        const results = await real.batch(statements, mode);
        if (made.answersLost > 0 && statements[0]?.sql.startsWith("INSERT INTO worker")) {
          made.answersLost -= 1;
          throw new StreamError("metadata_unavailable", "answer lost");
        }
        return results;
      },
    },
    async open(mend = async () => {}) {
      const { database } = made;
      const onBeat = async () => {};
      const parts = { platform, database, shared: true, worker, mend, onBeat };
      const onRenewed = () => {
        made.renewals += 1;
      };
      const isUsedUp = async () => false;
      const session = new WorkerSession({ ...parts, isUsedUp, onRenewed });
      await session.open(async () => {});
      return session;
    },
  };
  return made;
}

/** A worker that raises no counter. */
async function registerDead({ database }: Fixture): Promise<number> {
  const address = { kafkaHost: null, kafkaPort: null, httpUrl: null };
  const dead = { registration: "dead", kind: "process", nodeId: null, ...address } as const;
  return (await registerWorker(database, dead)).workerEpoch;
}

const epochs = async ({ database }: Fixture) =>
  (await listWorkers(database)).map(({ workerEpoch }) => workerEpoch);

describe("WorkerSession", () => {
  test("the cluster is built anew with the list of workers, not with each question", async () => {
    const stack = await fixture();
    const one = await stack.open();
    const alone = one.cluster();
    expect(one.cluster()).toBe(alone);
    const two = await stack.open();
    await stack.platform.advance(600);
    expect(alone.nodes).toHaveLength(1);
    expect(one.cluster().nodes).toHaveLength(2);
    await one.close({ isMended: true });
    await two.close({ isMended: true });
  });

  test("workers that were all cut off from the metadata close nobody when it is back", async () => {
    const stack = await fixture();
    const one = await stack.open();
    await stack.platform.advance(250);
    const two = await stack.open();
    await stack.platform.advance(4_850);
    const before = await epochs(stack);
    // The last who saw the other raise its counter is the first to look again.
    stack.down = true;
    await stack.platform.advance(60_200);
    stack.down = false;
    await stack.platform.advance(10_000);
    expect(await epochs(stack)).toEqual(before);
    await one.close({ isMended: true });
    await two.close({ isMended: true });
  });

  test("a dead peer is closed, and its receipts are asked for until the store takes them", async () => {
    const stack = await fixture();
    const adopted: number[] = [];
    let refusals = 3;
    const one = await stack.open(async (workerEpoch) => {
      if (refusals-- > 0) throw new StreamError("store_unavailable", "down");
      adopted.push(workerEpoch);
    });
    const dead = await registerDead(stack);
    await stack.platform.advance(60_000);
    expect(await epochs(stack)).toEqual([one.current().workerEpoch]);
    expect(adopted).toEqual([dead]);
    await one.close({ isMended: true });
  });

  test("a store that does not answer does not hold the heartbeat up", async () => {
    const stack = await fixture();
    const stuck = Promise.withResolvers<void>();
    const one = await stack.open(() => stuck.promise);
    const two = await stack.open(() => stuck.promise);
    await registerDead(stack);
    await stack.platform.advance(20_000);
    expect(await epochs(stack)).toEqual([one.current().workerEpoch, two.current().workerEpoch]);
    stuck.resolve();
    await one.close({ isMended: true });
    await two.close({ isMended: true });
  });

  test("a worker that lost its epoch gets one new epoch, though answers are lost", async () => {
    const stack = await fixture();
    const one = await stack.open();
    const lost = one.current().workerEpoch;
    await closeWorker(stack.database, { workerEpoch: lost, observedCounter: 0 });
    stack.answersLost = 5;
    await stack.platform.advance(3_500);
    expect(one.current().workerEpoch).toBeGreaterThan(lost);
    expect(await epochs(stack)).toEqual([one.current().workerEpoch]);
    expect(stack.renewals).toBe(1);
    await one.close({ isMended: true });
  });
});
