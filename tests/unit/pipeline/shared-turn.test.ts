import { describe, expect, test } from "bun:test";
import { SharedTurn } from "../../../src/pipeline/shared-turn.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("SharedTurn", () => {
  test("many share, one has it alone, and all begin in the order in which they came", async () => {
    const turn = new SharedTurn();
    const signal = new AbortController().signal;
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const ask = (name: string, asked: Promise<() => void>) => {
      void asked.then((end) => {
        begun.push(name);
        ends.set(name, end);
      });
    };
    ask("a", turn.share(signal));
    ask("b", turn.share(signal));
    ask("alone", turn.take());
    ask("c", turn.share(signal));
    await settle();
    expect(begun).toEqual(["a", "b"]);
    ends.get("a")?.();
    ends.get("a")?.();
    await settle();
    expect(begun).toEqual(["a", "b"]);
    ends.get("b")?.();
    await settle();
    expect(begun).toEqual(["a", "b", "alone"]);
    ends.get("alone")?.();
    await settle();
    expect(begun).toEqual(["a", "b", "alone", "c"]);
  });

  test("who has left does not wait", async () => {
    const turn = new SharedTurn();
    await turn.take();
    const left = AbortSignal.abort();
    const end = await turn.share(left);
    end();
    expect(end).toBeFunction();
  });
});
