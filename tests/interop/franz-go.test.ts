/**
 * franz-go's own tests of its client: hundreds of cases of a client that reads its broker's answers
 * closely, among them chains of consumer groups that produce, consume and hand over with every
 * classic balancer, with cooperative and static members.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { run } from "../support/processes.ts";
import { type BrokerUnderTest, brokerUnderTest } from "./support/broker-under-test.ts";
import { franzGoTests } from "./support/programs.ts";

/** What is not run, each with its reason; a part behind a slash names cases within a test. */
const left: readonly (readonly [pattern: string, reason: string])[] = [
  ["^TestTxnEtl$", "transactions are not served yet"],
  ["^TestShareGroup", "share groups (KIP-932) are not served yet"],
  ["^TestConsumeRegexShareSkipsInternal$", "share groups (KIP-932) are not served yet"],
  ["^Test848RegexBrokerResolves$", "the new group protocol (KIP-848) is not served yet"],
  ["^TestGroupETL$/.*/848", "the new group protocol (KIP-848) is not served yet"],
  ["^TestGroupSimple$/^848$", "the new group protocol (KIP-848) is not served yet"],
  ["^TestConsumeRegex$", "wants an internal topic in the metadata; groups here lie in no topic"],
  ["^TestOptValuesCoversEveryOption$", "reads its own source, which is not beside the program"],
];

/** Records that go through each chain of groups: 500 000 unless told, for a cluster of its own. */
const recordCount = 5_000;

let broker: BrokerUnderTest;
beforeAll(async () => {
  broker = await brokerUnderTest();
});
afterAll(async () => await broker?.stop());

test("franz-go's tests of its client pass", async () => {
  const skipped = left.map(([pattern]) => pattern).join("|");
  const flags = ["-test.v", "-test.timeout=300s", `-test.skip=${skipped}`];
  const finished = await run([await franzGoTests(), ...flags], {
    anyExit: true,
    timeoutMs: 320_000,
    env: {
      KGO_SEEDS: broker.bootstrap,
      KGO_TEST_RF: "1",
      KGO_TEST_RECORDS: `${recordCount}`,
      KGO_LOG_LEVEL: "none",
    },
  });
  const lines = finished.stdout.split("\n");
  const failed = lines.filter((line) => /^\s*--- FAIL: /.test(line));
  if (finished.code !== 0) process.stderr.write(`${excerpt(lines)}\n${finished.stderr}`);
  expect(failed).toEqual([]);
  expect(finished.code).toBe(0);
  const passed = lines.filter((line) => /^--- PASS: /.test(line));
  expect(passed.length).toBeGreaterThan(100);
}, 330_000);

/** The failed cases with what they said. */
function excerpt(lines: readonly string[]): string {
  const shown = lines.filter((_, index) => {
    const near = lines.slice(Math.max(0, index - 20), index + 20);
    return near.some((each) => /--- FAIL: |^panic: /.test(each));
  });
  return shown.slice(0, 400).join("\n");
}
