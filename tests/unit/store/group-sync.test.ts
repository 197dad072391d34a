import { expect, test } from "bun:test";
import type { OpenFile } from "../../../src/base/file-system.ts";
import { GroupSync } from "../../../src/store/group-sync.ts";

/** A file whose syncs end when told to. */
function manualFile() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const file: Pick<OpenFile, "sync"> = {
    sync() {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      return sync.promise;
    },
  };
  return { syncs, groupSync: new GroupSync(file as OpenFile) };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

test("GroupSync gives those who come while one runs the next, together", async () => {
  const { syncs, groupSync } = manualFile();
  const ended: string[] = [];
  const all = ["first", "second", "third"].map((name) =>
    groupSync.sync().then(() => ended.push(name)),
  );
  await settle();
  expect(syncs.length).toBe(1);
  syncs[0]?.resolve();
  await settle();
  expect(ended).toEqual(["first"]);
  expect(syncs.length).toBe(2);
  syncs[1]?.resolve();
  await Promise.all(all);
  expect(ended).toEqual(["first", "second", "third"]);
});

test("GroupSync fails everyone from the first failure on", async () => {
  const { syncs, groupSync } = manualFile();
  const outcomes = [groupSync.sync(), groupSync.sync()].map((sync) =>
    sync.then(
      () => "synced",
      (error: Error) => error.message,
    ),
  );
  await settle();
  syncs[0]?.reject(new Error("EIO"));
  expect(await Promise.all(outcomes)).toEqual(["EIO", "EIO"]);
  expect(await groupSync.sync().catch((error: Error) => error.message)).toBe("EIO");
  expect(syncs.length).toBe(1);
});
