/** What the compiler makes of topics' types; `npm run check` is where it fails. */
import { expect, test } from "bun:test";
import * as arrow from "apache-arrow";
import { connect as connectAsUser, consumeGroup } from "millrace/client";
import { arrowBatches, arrowRecords, arrowTable } from "millrace/client/arrow";
import { liveRows } from "millrace/client/sql";
import type { z } from "zod";
import { connect } from "../../../src/client/connection.ts";
import { consume } from "../../../src/client/consume.ts";
import type { Sent } from "../../../src/client/lane.ts";
import type { ProblemJson } from "../../../src/client/millrace-error.ts";
import { type Producer, producer } from "../../../src/client/producer.ts";
import type { SqlResult } from "../../../src/client/sql.ts";
import type { Problem } from "../../../src/wire/http/problem.ts";
import type { ProduceAnswer } from "../../../src/wire/http/shapes.ts";
import type { sqlAnswer } from "../../../src/wire/http/sql-shapes.ts";

interface Click {
  readonly button: string;
}

test("topics have the types of their values, and others are none", () => {
  const link = connect<{ clicks: Click; sizes: number }>("http://localhost:1");
  const clicks: Producer<Click> = producer(link, "clicks");
  // @ts-expect-error: no such topic.
  producer(link, "click");
  // @ts-expect-error: a number is no click.
  const wrong = () => clicks.send(1);
  const right = async () => {
    for await (const { value } of consume(link, "sizes")) return value.toFixed(1);
    return "";
  };
  expect([typeof wrong, typeof right]).toEqual(["function", "function"]);
});

test("the package's entries have types that a user's compiler follows", async () => {
  const link = connectAsUser<{ n: number; s: string }>({ fetch: async () => new Response("{}") });
  const uses = [
    async () => {
      for await (const record of consumeGroup(link, "g", ["n", "s"])) {
        if (typeof record.value === "number") return record.value.toFixed(1);
      }
      return "";
    },
    async () => (await arrowTable(link, "SELECT 1", arrow)).numRows,
    async () => (await arrowRecords(link, "n", arrow)).table.numRows,
    async () => {
      for await (const batch of arrowBatches(link, "SELECT 1", arrow)) return batch.numRows;
      return 0;
    },
    async () => {
      const keyOf = ({ k }: { readonly k: string }) => k;
      for await (const rows of liveRows(link, "v", { keyOf })) return rows.get("a")?.k;
      return "";
    },
  ];
  expect(uses).toHaveLength(5);
  expect((await link.request("/")).status).toBe(200);
});

test("what the server answers is what the client takes", () => {
  const sent = (answer: ProduceAnswer): Sent => answer;
  const problem = (answer: Problem): ProblemJson => answer;
  const results = (answer: z.infer<typeof sqlAnswer>): readonly SqlResult<unknown>[] =>
    answer.results;
  expect([sent, problem, results].every((each) => typeof each === "function")).toBe(true);
});
