/** The shared secret, as kcat shows it by SASL PLAIN and as HTTP clients show it by Bearer. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { run } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { uniqueName } from "./support/broker-under-test.ts";
import { kcatProgram } from "./support/programs.ts";

const token = "opensesame-4711";
let server: StreamServer;
beforeAll(async () => {
  server = await StreamServer.start({ env: { MILLRACE_TOKEN: token } });
});
afterAll(async () => {
  await server?.stop();
});

async function kcat(password: string | undefined, args: readonly string[], input?: string) {
  const settings =
    password === undefined
      ? []
      : [
          ...["security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN"],
          ...["sasl.username=anyone", `sasl.password=${password}`],
        ];
  const flags = [...settings, "message.timeout.ms=5000"].flatMap((each) => ["-X", each]);
  const command = [await kcatProgram(), "-b", server.bootstrap, ...flags, ...args];
  return await run(command, { anyExit: true, ...(input !== undefined && { input }) });
}

describe("a worker with a token", () => {
  test("serves kcat with the password and HTTP with the Bearer", async () => {
    const topic = uniqueName("access");
    const wrote = await kcat(token, ["-P", "-t", topic], "hello\n");
    expect(wrote.code).toBe(0);
    const read = await kcat(token, ["-C", "-q", "-e", "-t", topic, "-o", "beginning"]);
    expect(read.stdout).toBe("hello\n");
    const url = `${server.httpUrl}/v1/topics/${topic}/partitions/0/records?offset=0`;
    const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
    const answer = await fetch(url, { headers });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ records: [{ value: "hello" }] });
    expect((await fetch(url)).status).toBe(401);
  });

  test("refuses kcat with another password, and without one", async () => {
    const wrong = await kcat("guess", ["-P", "-t", uniqueName("access")], "hello\n");
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toMatch(/authentication/i);
    const none = await kcat(undefined, ["-P", "-t", uniqueName("access")], "hello\n");
    expect(none.code).not.toBe(0);
  }, 60_000);
});
