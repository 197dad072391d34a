/** The examples that are no pages: a device under MicroPython, and curl. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { micropythonModule } from "./support/programs.ts";

const examples = join(import.meta.dir, "../../deploy/examples");

describe("examples", () => {
  let server: StreamServer;
  beforeAll(async () => {
    server = await StreamServer.start({ flags: ["--default-partitions", "1"] });
  }, 60_000);
  afterAll(() => server?.stop());

  test("the device's readings are appended once, though answers and power were lost", async () => {
    const device = join(examples, "device.py");
    expect(readFileSync(device, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(60);
    const topic = `${server.httpUrl}/v1/topics/readings`;
    const { stdout, stderr } = await run([
      ...["node", join(import.meta.dir, "programs/micropython/boots.mjs")],
      ...[await micropythonModule(), device, `${topic}/records`],
    ]);
    expect(stderr.trim().split("\n")).toEqual(["micropython False", "micropython True"]);
    expect(JSON.parse(stdout)).toMatchObject({ sequence: 2, batch: [], waiting: [] });
    const answer = await fetch(`${topic}/partitions/0/records?values=json`);
    const { records } = (await answer.json()) as { records: { value: { celsius: number } }[] };
    expect(records.map(({ value }) => value.celsius)).toEqual(
      Array.from({ length: 32 }, (_, n) => n),
    );
  }, 60_000);

  test("the script of curl sets up, appends, reads and follows", async () => {
    const { stdout } = await run(["sh", join(examples, "clicks.sh")], {
      env: { MILLRACE_URL: server.httpUrl, SECONDS_TO_FOLLOW: "3" },
      anyExit: true,
    });
    const [made = "", lines = "", once = "", twice = "", read = ""] = stdout.split("\n");
    expect(made).toContain("clicks_per_window");
    expect(JSON.parse(lines)).toEqual({ offsets: [{ partition: 0, baseOffset: 0, count: 2 }] });
    expect(once).toBe(twice);
    expect(JSON.parse(read)).toMatchObject({ highOffset: 3 });
    for (const button of ["oak", "elm", "ash"])
      expect(stdout).toContain(`"button":"${button}","clicks":1`);
  }, 60_000);
});
