import { expect, test } from "bun:test";
import { Bell } from "../../../../src/runtime/workerd/bell.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

/** A listener that hears when the test lets it. */
function listener(name: string) {
  const calls: PromiseWithResolvers<void>[] = [];
  const hear = () => {
    const call = Promise.withResolvers<void>();
    calls.push(call);
    return call.promise;
  };
  return { name, hear, calls };
}

const { log } = createVirtualPlatform({ seed: 1 });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("Bell calls each listener once, and once more for all rings during a call", async () => {
  const [one, two] = [listener("one"), listener("two")];
  const bell = new Bell(log, () => [one, two]);
  bell.ring();
  bell.ring();
  bell.ring();
  expect([one.calls.length, two.calls.length]).toEqual([1, 1]);
  one.calls[0]?.resolve();
  await turn();
  expect([one.calls.length, two.calls.length]).toEqual([2, 1]);
  one.calls[1]?.resolve();
  await turn();
  expect(one.calls).toHaveLength(2);
  bell.ring();
  expect([one.calls.length, two.calls.length]).toEqual([3, 1]);
});

test("Bell goes on with a listener whose object ended while it was called", async () => {
  const one = listener("one");
  const bell = new Bell(log, () => [one]);
  bell.ring();
  bell.ring();
  one.calls[0]?.reject(new Error("evicted"));
  await turn();
  expect(one.calls).toHaveLength(2);
  one.calls[1]?.reject(new Error("evicted"));
  await turn();
  bell.ring();
  expect(one.calls).toHaveLength(3);
});
