import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../src/base/log.ts";
import { bunParts } from "../../../src/runtime/bun/main.ts";
import { startServer } from "../../../src/runtime/node/compose.ts";
import type { RunningServer } from "../../../src/runtime/node/running-server.ts";
import { readSettings } from "../../../src/runtime/settings.ts";
import { type CliResult, runCli } from "../../support/cli-run.ts";

let folder: string;
let server: RunningServer;

async function start(data: string): Promise<RunningServer> {
  const argv = ["--http", "127.0.0.1:0", "--kafka", "127.0.0.1:0", "--data", data];
  return await startServer(readSettings([...argv, "--fsync", "off"], {}), bunParts, silentLogger);
}

const streamctl = join(import.meta.dir, "../../../src/cli/main.ts");

/** A process of its own, since libSQL gives a file's lock back only when its process ends. */
async function verify(data: string): Promise<{ exitCode: number; stdout: string }> {
  const child = Bun.spawn([process.execPath, streamctl, "segment", "verify", "--data", data]);
  const stdout = await new Response(child.stdout).text();
  return { exitCode: await child.exited, stdout };
}

/** The address in the start-up lines. */
async function firstUrl(stdout: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stdout) {
    text += new TextDecoder().decode(chunk);
    const url = /http:\/\/127[^\s]+/.exec(text);
    if (url !== null && text.includes("Send a first record")) return url[0];
  }
  throw new Error(`The server ended: ${text}`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-cli-"));
  server = await start(join(folder, "data"));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command line against the server and expects it to succeed. */
async function cli(line: string, stdin?: string | Uint8Array): Promise<string> {
  const env = { MILLRACE_URL: server.httpUrl };
  const result = await runCli(line.split(" "), { env, ...(stdin !== undefined && { stdin }) });
  expect(result.stderr).toBe("");
  expect(result.exitCode).toBe(0);
  return result.stdout;
}

async function fails(line: string): Promise<CliResult> {
  return await runCli(line.split(" "), { env: { MILLRACE_URL: server.httpUrl } });
}

describe("topics", () => {
  test("are created, listed, described, altered and deleted", async () => {
    expect(await cli("topic create life --partitions 2 --config retention.ms=60000")).toBe(
      "Created topic life with 2 partitions\n",
    );
    expect(await cli("topic list")).toMatch(/^life +2 +\S+ +retention\.ms=60000$/m);
    expect(await cli("topic describe life")).toContain("config      retention.ms=60000\n");
    const altered = await cli("topic alter life --partitions 3 --unset retention.ms");
    expect(altered).toContain("partitions  3\n");
    expect(altered).toContain("all defaults");
    expect(JSON.parse(await cli("topic describe life -o json")).partitions).toBe(3);
    expect(await cli("topic delete life")).toBe("Deleted topic life\n");
    expect(await cli("topic list")).not.toContain("life");
  });

  test("that do not exist are refused with what to do next", async () => {
    const { exitCode, stderr } = await fails("topic describe nowhere");
    expect(exitCode).toBe(1);
    expect(stderr).toContain('"nowhere"');
    expect(stderr).toContain("streamctl topic create NAME");
  });

  test("a failure is JSON where JSON is asked for", async () => {
    const { stderr } = await fails("topic describe nowhere -o json");
    expect(JSON.parse(stderr).error.code).toBe("topic_unknown");
  });
});

describe("produce and consume", () => {
  test("a value with its key comes back", async () => {
    await cli("topic create single");
    expect(await cli("produce single --value hello --key k")).toBe(
      "Appended 1 record (5 B) to single\n  partition 0: offset 0\n",
    );
    expect(await cli("consume single --from-beginning --show partition,offset,key")).toBe(
      "0\t0\tk\thello\n",
    );
  });

  test("lines of standard input are records, byte for byte", async () => {
    await cli("topic create lines");
    const bytes = Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x0a, 0xc3, 0xbc, 0x0d, 0x0a, 0x7a]);
    await cli("produce lines", bytes);
    const env = { MILLRACE_URL: server.httpUrl };
    const result = await runCli(["consume", "lines", "--from-beginning"], { env });
    const expected = Buffer.from([
      0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x0a, 0xc3, 0xbc, 0x0a, 0x7a, 0x0a,
    ]);
    expect(Buffer.from(result.stdoutBytes)).toEqual(expected);
  });

  test("a file of many lines keeps its order within a partition", async () => {
    await cli("topic create many --partitions 3");
    const path = join(folder, "many.txt");
    const lines = Array.from({ length: 12_000 }, (_, index) => `${index % 7}:value ${index}`);
    await writeFile(path, `${lines.join("\n")}\n`);
    const told = JSON.parse(await cli(`produce many --file ${path} --key-separator : -o json`));
    expect(told.records).toBe(12_000);
    const read = await cli("consume many --from-beginning -o json");
    const last = new Map<string, number>();
    for (const line of read.trimEnd().split("\n")) {
      const { key, value } = JSON.parse(line);
      const index = Number(value.slice("value ".length));
      expect(String(index % 7)).toBe(key);
      expect(index).toBeGreaterThan(last.get(key) ?? -1);
      last.set(key, index);
    }
    expect([...last.values()].sort((a, b) => b - a)[0]).toBe(11_999);
  });

  test("consume stops at --max, and starts at an offset of a partition", async () => {
    await cli("topic create few");
    await cli("produce few", "a\nb\nc\nd\n");
    expect(await cli("consume few --from-beginning --max 2")).toBe("a\nb\n");
    expect(await cli("consume few --partition 0 --offset 2")).toBe("c\nd\n");
    expect(await cli("consume few --from-time 1h --max 1")).toBe("a\n");
  });

  test("consume follows until it is told to stop", async () => {
    await cli("topic create live");
    const stop = new AbortController();
    const following = runCli(["consume", "live"], {
      env: { MILLRACE_URL: server.httpUrl },
      signal: stop.signal,
      onStdout: (text) => text.includes("last") && stop.abort(),
    });
    // Whatever moment the reader chose as its start, a later record reaches it.
    for (let round = 0; !stop.signal.aborted && round < 100; round++) {
      await cli("produce live --value last");
    }
    expect((await following).stdout).toContain("last\n");
    expect((await following).exitCode).toBe(0);
  });

  test("a terminal gets control characters as pictures", async () => {
    await cli("topic create escapes");
    await cli("produce escapes", "\u001b[31mred\n");
    const env = { MILLRACE_URL: server.httpUrl };
    const argv = ["consume", "escapes", "--from-beginning"];
    expect((await runCli(argv, { env, columns: 80 })).stdout).toBe("␛[31mred\n");
    expect((await runCli(argv, { env })).stdout).toBe("\u001b[31mred\n");
  });

  test("options that exclude each other are refused before anything is sent", async () => {
    expect((await fails("produce few --value a --file b")).exitCode).toBe(2);
    expect((await fails("consume few --offset 3")).stderr).toContain("--offset needs --partition");
    expect((await fails("consume few --from-beginning --from-time 1h")).exitCode).toBe(2);
  });
});

describe("groups", () => {
  test("go on where they stopped, are described, reset and deleted", async () => {
    await cli("topic create work");
    await cli("produce work", "a\nb\nc\n");
    expect(await cli("consume work --group crew --max 2")).toBe("a\nb\n");
    expect(await cli("group list")).toMatch(/^crew +Empty/m);
    const described = JSON.parse(await cli("group describe crew -o json"));
    expect(described.offsets).toMatchObject([{ topic: "work", offset: 2, lag: 1 }]);
    expect(await cli("consume work --group crew")).toBe("c\n");
    await cli("group reset crew --topic work --to earliest");
    expect(await cli("consume work --group crew")).toBe("a\nb\nc\n");
    expect(await cli("group reset crew --topic work --to 99")).toMatch(/work +0 +3\n$/);
    expect(await cli("group delete crew")).toBe("Deleted group crew\n");
    expect((await fails("group describe crew")).exitCode).toBe(1);
  });
});

describe("tokens", () => {
  test("are made, used, listed and revoked", async () => {
    for (const topic of ["visits", "baskets"]) await cli(`topic create ${topic}`);
    const given = "--origin https://a.example --origin https://b.example --rate 120/m --ttl 30d";
    const made = await fails(`token create --topic visits,baskets --write ${given}`);
    expect(made.exitCode).toBe(0);
    const token = made.stdout.trimEnd();
    expect(token).toMatch(/^mrt_[0-9a-f]{16}_[\w-]{43}$/);
    expect(made.stderr).toMatch(/good until \d{4}-/);
    const answer = await fetch(`${server.httpUrl}/v1/topics/visits/records?token=${token}`, {
      ...{ method: "POST", body: "visit" },
      headers: { "Content-Type": "text/plain", Origin: "https://b.example" },
    });
    expect(answer.status).toBe(200);
    const { tokens } = JSON.parse(await cli("token list -o json"));
    expect(tokens).toMatchObject([{ topics: ["visits", "baskets"], recordsPerSecondMax: 2 }]);
    expect(await cli("token list")).toContain("https://a.example,https://b.example");
    expect(await cli(`token revoke ${token}`)).toContain("Revoked");
    expect(await cli("token list")).toContain("No tokens");
    expect((await fails(`token revoke ${tokens[0].tokenId}`)).exitCode).toBe(1);
  });

  test.each([
    ["--write", "--topic is missing"],
    ["--topic visits", "--write, --read"],
    ["--topic visits --write --rate 100", "100/s"],
    ["--topic visits --write --ttl soon", "30d"],
  ])("of %p are refused", async (given, message) => {
    const { exitCode, stderr } = await fails(`token create ${given}`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe("segments", () => {
  test("verify finds all whole after a stop, and each flipped byte of a batch", async () => {
    const data = join(folder, "segments");
    const words = ["server", "--http", "127.0.0.1:0", "--kafka", "off", "--data", data];
    const child = Bun.spawn([process.execPath, streamctl, ...words, "--log-format", "text"], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const url = await firstUrl(child.stdout);
    await runCli(["produce", "kept"], { env: { MILLRACE_URL: url }, stdin: "some\nrecords\n" });
    const second = await runCli(words);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("sqld");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(await new Response(child.stderr).text()).toContain("stopped");
    const whole = await verify(data);
    expect(whole.stdout).toStartWith("All is whole: 1 segment, 1 batch, 2 records, 1 index row");
    expect(whole.exitCode).toBe(0);

    const [name] = await readdir(join(data, "objects/segments"));
    const path = join(data, "objects/segments", name ?? "", "00000000.log");
    const inspected = await runCli(["segment", "inspect", path, "-o", "json", "--batches"]);
    expect(JSON.parse(inspected.stdout).found[0].entries[0]).toMatchObject({
      topic: "kept",
      partition: 0,
      recordCount: 2,
      batches: [{ codec: "none", recordCount: 2 }],
    });

    const bytes = Buffer.from(await Bun.file(path).arrayBuffer());
    const at = bytes.indexOf("records");
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(path, bytes);
    const broken = await verify(data);
    expect(broken.exitCode).toBe(1);
    expect(broken.stdout).toContain("kept/0: offsets 0 to 1");
  });
});

describe("the command line itself", () => {
  test("a worker that is not there is told with how to start one", async () => {
    const { exitCode, stderr } = await runCli(["topic", "list", "--url", "http://127.0.0.1:1"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Cannot reach http://127.0.0.1:1: nothing listens there");
    expect(stderr).toContain("streamctl server");
  });

  test.each([
    ["topic lst", 'Unknown command "topic lst", did you mean `streamctl topic list`?'],
    ["topik", "did you mean `streamctl topic`?"],
    ["nope", 'Unknown command "nope". See streamctl help'],
    ["topic create", "TOPIC is missing"],
    ["topic create a b", '"b" is one word too many'],
    ["topic list --ulr x", "did you mean --url?"],
    ["topic list -o yaml", '-o is "yaml": expected text or json'],
    ["server --fsync maybe", '--fsync is "maybe": expected on or off'],
  ])("refuses %p", async (line, message) => {
    const { exitCode, stderr } = await runCli(line.split(" "));
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  test.each(["sql --file", "produce t --file"])("%p says what it cannot read", async (line) => {
    const missing = await runCli([...line.split(" "), "/nowhere/x"]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toBe("streamctl: Cannot read /nowhere/x: there is no such file\n");
    const folder = await runCli([...line.split(" "), "/"]);
    expect(folder.stderr).toBe("streamctl: Cannot read /: it is a folder\n");
  });

  test.each(["help", "topic --help", "produce --help", "server --help", "help group reset"])(
    "%p explains itself within 100 columns",
    async (line) => {
      const { exitCode, stdout } = await runCli(line.split(" "), { columns: 100 });
      expect(exitCode).toBe(0);
      for (const each of stdout.split("\n")) expect(each.length).toBeLessThanOrEqual(100);
    },
  );

  test("server --help names every setting", async () => {
    const { stdout } = await runCli(["server", "--help"]);
    for (const name of ["--http", "MILLRACE_TOKEN", "--flush-rate-max", "AWS_REGION"]) {
      expect(stdout).toContain(name);
    }
  });

  test("version tells the version of package.json", async () => {
    const { stdout } = await runCli(["version", "-o", "json"]);
    expect(JSON.parse(stdout).bun).toBe(Bun.version);
  });
});
