import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../../../src/runtime/node/open-database.ts";

test("openDatabase names the folder that cannot be made", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-"));
  const file = join(folder, "file");
  await writeFile(file, "");
  const path = join(file, "data", "metadata.db");
  const opening = openDatabase({
    metadata: { kind: "file", path },
    metadataToken: undefined,
    fsync: true,
  });
  await expect(opening).rejects.toMatchObject({
    code: "metadata_unavailable",
    message: expect.stringContaining(`Cannot make the folder ${join(file, "data")}`),
  });
  await rm(folder, { recursive: true });
});
