import { afterEach, describe, expect, test } from "bun:test";
import { refuseForeignWriter } from "../../../src/log/topic-writer.ts";
import { type LogStack, openStack } from "../../support/log-stack.ts";

let stack: LogStack;
afterEach(() => stack.log.close());

describe("refuseForeignWriter", () => {
  test("refuses topics that a query writes, however they are looked up", async () => {
    stack = await openStack();
    const request = { name: "results", partitionCount: 1, replicationFactor: -1, config: {} };
    await stack.log.topics.create({ ...request, writer: "q1" });
    await stack.log.topics.create({ ...request, name: "plain" });
    stack.log.topics.forget();
    const results = await stack.log.topics.byName("results");
    const plain = await stack.log.topics.byName("plain");
    expect(results?.writer).toBe("q1");
    expect(() => results && refuseForeignWriter(results)).toThrow(
      /holds the results of query "q1"/,
    );
    expect(() => plain && refuseForeignWriter(plain)).not.toThrow();
  });
});
