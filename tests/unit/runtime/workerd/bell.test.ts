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

const platform = createVirtualPlatform({ seed: 1 });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("Bell calls each listener once, and once more for all rings during a call", async () => {
  const [one, two] = [listener("one"), listener("two")];
  const bell = new Bell(platform);
  bell.ring([one, two]);
  bell.ring([one, two]);
  bell.ring([one, two]);
  expect([one.calls.length, two.calls.length]).toEqual([1, 1]);
  one.calls[0]?.resolve();
  await turn();
  expect([one.calls.length, two.calls.length]).toEqual([2, 1]);
  one.calls[1]?.resolve();
  await turn();
  expect(one.calls).toHaveLength(2);
  bell.ring([one, two]);
  expect([one.calls.length, two.calls.length]).toEqual([3, 1]);
});

test("Bell calls a listener again that failed, a few times, and goes on with the next ring", async () => {
  const one = listener("one");
  const bell = new Bell(platform);
  bell.ring([one]);
  for (let call = 0; call < 3; call++) {
    expect(one.calls).toHaveLength(call + 1);
    one.calls[call]?.reject(new Error("evicted"));
    await platform.advance(1_000);
  }
  expect(one.calls).toHaveLength(3);
  bell.ring([one]);
  expect(one.calls).toHaveLength(4);
  one.calls[3]?.resolve();
  await platform.advance(1_000);
  expect(one.calls).toHaveLength(4);
});
