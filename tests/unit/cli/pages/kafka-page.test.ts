import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { withKafkaReference } from "../../../../src/cli/pages/kafka-page.ts";
import { kafkaApis } from "../../../../src/wire/kafka/api-registry.ts";

const written = readFileSync(new URL("../../../../docs/KAFKA.md", import.meta.url), "utf8");
const lines = withKafkaReference(written).split("\n");

function rowOf(name: string): string | undefined {
  return lines.find((line) => line.startsWith(`| ${name} |`));
}

test("docs/KAFKA.md has a row for each API", () => {
  expect(kafkaApis.filter(({ name }) => rowOf(name) === undefined)).toEqual([]);
});

test("docs/KAFKA.md says which versions are announced where others are served", () => {
  expect(rowOf("Produce")).toStartWith("| Produce | 0 | 3–13 (announced 0–13) | 9–13 |");
  expect(rowOf("SaslHandshake")).toStartWith("| SaslHandshake | 17 | 0–1 | never |");
});

test("docs/KAFKA.md says with which version a field comes and goes, without those inside it", () => {
  expect(rowOf("Produce")).toContain("**13** `−name` `+topicId`");
  expect(rowOf("FindCoordinator")).toEndWith("`−port` `+coordinators` |");
});
