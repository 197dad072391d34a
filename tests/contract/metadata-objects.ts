/** Workers that are Durable Objects: activations follow each other, and leases stay the object's. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { acquireLease, readLease, releaseLease } from "../../src/meta/leases.ts";
import {
  epochsToMend,
  leaveWorkers,
  listWorkers,
  registerWorker,
  type WorkerInfo,
} from "../../src/meta/workers.ts";
import {
  codeOf,
  type MetadataUnderTest,
  newWorker,
  type OpenMetadata,
  randomText,
} from "./metadata-fixture.ts";

export function objectsContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  function activate(
    objectName: string,
    options: { readonly takesOver?: boolean; readonly registration?: string } = {},
  ): Promise<WorkerInfo> {
    const { takesOver = true, registration = randomText() } = options;
    return registerWorker(database(), {
      registration,
      kind: "durable_object",
      ...{ nodeId: null, kafkaHost: null, kafkaPort: null, httpUrl: null },
      object: { name: objectName, takesOver },
    });
  }
  const openEpochs = async () =>
    (await listWorkers(database())).map(({ workerEpoch }) => workerEpoch);
  const newLease = () => ({ kind: "group", name: randomText() });

  describe(`${name}: Durable Objects`, () => {
    test("an activation closes the epoch of the one before and no other's", async () => {
      const objectName = randomText();
      const process = await newWorker(database());
      const other = await activate(randomText());
      const first = await activate(objectName);
      const second = await activate(objectName);
      expect(second.workerEpoch).toBeGreaterThan(first.workerEpoch);
      const open = await openEpochs();
      expect(open).not.toContain(first.workerEpoch);
      for (const each of [process, other, second]) expect(open).toContain(each.workerEpoch);
      expect(await epochsToMend(database())).toContain(first.workerEpoch);
    });

    test("an activation has its object's leases at once, with raised epochs", async () => {
      const objectName = randomText();
      const first = await activate(objectName);
      const [marked, plain] = [newLease(), newLease()];
      const { workerEpoch } = first;
      const held = await acquireLease(database(), { ...marked, workerEpoch, objectName });
      await acquireLease(database(), { ...plain, workerEpoch });
      const second = await activate(objectName);
      expect(await readLease(database(), marked)).toEqual({
        ...marked,
        leaseEpoch: held.leaseEpoch + 1,
        workerEpoch: second.workerEpoch,
      });
      expect(await readLease(database(), plain)).toMatchObject({ workerEpoch: null });
    });

    test("a registration that comes again changes nothing, also after the next one", async () => {
      const objectName = randomText();
      const registration = randomText();
      const first = await activate(objectName, { registration });
      const lease = newLease();
      const { workerEpoch } = first;
      const held = await acquireLease(database(), { ...lease, workerEpoch, objectName });
      expect(await activate(objectName, { registration })).toEqual(first);
      expect(await readLease(database(), lease)).toEqual(held);
      const second = await activate(objectName);
      expect(await codeOf(activate(objectName, { registration }))).toBe("worker_fenced");
      expect(await openEpochs()).toContain(second.workerEpoch);
      expect((await readLease(database(), lease))?.workerEpoch).toBe(second.workerEpoch);
    });

    test("nobody takes an object's lease while it sleeps; it may give it back", async () => {
      const objectName = randomText();
      const object = await activate(objectName);
      const [process, stranger] = [await newWorker(database()), await activate(randomText())];
      const lease = newLease();
      const { workerEpoch } = object;
      const held = await acquireLease(database(), { ...lease, workerEpoch, objectName });
      await leaveWorkers(database(), workerEpoch);
      const strangerName = { objectName: randomText(), workerEpoch: stranger.workerEpoch };
      for (const taker of [{ workerEpoch: process.workerEpoch }, strangerName]) {
        const refused = await acquireLease(database(), { ...lease, ...taker });
        expect(refused.workerEpoch).toBeNull();
      }
      const again = await activate(objectName);
      const { leaseEpoch } = (await readLease(database(), lease)) ?? { leaseEpoch: 0 };
      expect(leaseEpoch).toBeGreaterThan(held.leaseEpoch);
      expect((await readLease(database(), lease))?.workerEpoch).toBe(again.workerEpoch);
      await releaseLease(database(), { ...lease, leaseEpoch });
      const taken = await acquireLease(database(), { ...lease, workerEpoch: process.workerEpoch });
      expect(taken.workerEpoch).toBe(process.workerEpoch);
    });

    test("an object whose epoch was closed under it leaves its successor alone", async () => {
      const objectName = randomText();
      await activate(objectName);
      const successor = await activate(objectName);
      const lease = { ...newLease(), workerEpoch: successor.workerEpoch, objectName };
      const held = await acquireLease(database(), lease);
      const renewed = await activate(objectName, { takesOver: false });
      expect(await openEpochs()).toContain(successor.workerEpoch);
      expect(await readLease(database(), lease)).toEqual(held);
      const next = await activate(objectName);
      const open = await openEpochs();
      expect(open).toContain(next.workerEpoch);
      for (const each of [successor, renewed]) expect(open).not.toContain(each.workerEpoch);
    });
  });
}
