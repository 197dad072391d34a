import { describe, expect, test } from "bun:test";
import { BufferPool } from "../../../src/base/buffer-pool.ts";
import { Lendable, LentBytes } from "../../../src/base/lent-bytes.ts";

const KiB = 1024;

function fixture() {
  const pool = new BufferPool(1024 * KiB);
  const memory = new Uint8Array(256 * KiB).fill(1);
  return { pool, lent: new LentBytes(pool), memory };
}

describe("LentBytes", () => {
  test("a view is read in place until its memory is recalled, then as it was", () => {
    const { lent, memory } = fixture();
    const source = new Lendable();
    const view = memory.subarray(0, 100);
    lent.lend(view, [source]);
    expect(lent.current(view)).toBe(view);
    lent.recall(source);
    memory.fill(2);
    expect(lent.current(view)).toEqual(new Uint8Array(100).fill(1));
  });

  test("a view over several sources is copied once, by the first that is recalled", () => {
    const { lent, memory } = fixture();
    const [left, right] = [new Lendable(), new Lendable()];
    const view = memory.subarray(0, 100);
    lent.lend(view, [left, right]);
    lent.recall(right);
    memory.fill(2);
    lent.recall(left);
    expect(lent.current(view)).toEqual(new Uint8Array(100).fill(1));
    expect([left.views.size, right.views.size]).toEqual([0, 0]);
  });

  test("two readers of the same bytes are told apart", () => {
    const { lent, memory } = fixture();
    const source = new Lendable();
    const views = [memory.subarray(0, 100), memory.subarray(0, 100)] as const;
    for (const view of views) lent.lend(view, [source]);
    expect(lent.giveBack(views[0])).toBe(true);
    lent.recall(source);
    memory.fill(2);
    expect(lent.current(views[0])[0]).toBe(2);
    expect(lent.current(views[1])[0]).toBe(1);
  });

  test("what is given back is copied no more, and its copy is used again", () => {
    const { lent, memory, pool } = fixture();
    const source = new Lendable();
    const view = memory.subarray(0, 128 * KiB);
    lent.lend(view, [source]);
    lent.recall(source);
    expect(pool.idleBytes).toBe(0);
    expect(lent.giveBack(view)).toBe(true);
    expect(pool.idleBytes).toBe(128 * KiB);
    expect(lent.giveBack(view)).toBe(false);
  });

  test("a view that nobody lent is itself and nobody's to give back", () => {
    const { lent, memory } = fixture();
    expect(lent.current(memory)).toBe(memory);
    expect(lent.giveBack(memory)).toBe(false);
  });
});
