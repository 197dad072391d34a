import { describe, expect, test } from "bun:test";
import { SessionState } from "../../../../src/sql/kernel/session.ts";
import { SpillSpace } from "../../../../src/sql/kernel/spill-space.ts";
import { RowTable } from "../../../../src/sql/memory/row-table.ts";
import { StateFile } from "../../../../src/sql/sqlite/vfs.ts";
import { Dice } from "../../../sim/dice.ts";
import { MemoryDisk } from "../../../support/memory-disk.ts";
import { readResult } from "../../../support/sql-state.ts";
import { type CellValue, createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const input = ["integer", "text", "integer"] as const;
const plain = { column: null, filter: null, isDistinct: false } as const;
const gapMs = 10;

type Row = readonly [time: bigint, key: string | null, value: bigint];

interface Shown {
  readonly closed: CellValue[][];
  readonly taken: CellValue[][];
}

class Sessions {
  readonly host = createSqliteHost();
  readonly space: SpillSpace;
  readonly file: StateFile;
  readonly state: SessionState;

  constructor(
    options: { readonly bytesMax: number; readonly lateness?: number },
    saved: readonly { readonly pages: Uint8Array; readonly state: Uint8Array }[] = [],
  ) {
    const { host } = this;
    this.space = new SpillSpace(host.memory, {
      disk: new MemoryDisk(),
      bytesMax: options.bytesMax,
    });
    const scratch = new MemoryDisk();
    this.file = new StateFile(host, { name: "state", scratch, cachedBytesMax: 1 << 20 });
    for (const { pages } of saved) this.file.restore(pages);
    this.state = new SessionState(host, {
      spec: {
        input,
        keys: [1],
        accumulators: [
          { ...plain, kind: "count" },
          { ...plain, kind: "count", column: 2, isDistinct: true },
          { ...plain, kind: "first", column: 2 },
        ],
      },
      ...{ seed: 3n, bytesMax: 0, gapMs, allowedLatenessMs: options.lateness ?? 0 },
      spill: this.space,
      cold: { database: this.file.open(), name: "sessions" },
    });
    for (const { state } of saved) this.state.restore(state);
  }

  add(watermarkMs: number, rows: readonly Row[]): number {
    const table = tableOf(this.host.memory, input, rows);
    const late = this.state.add({ table, timeColumn: 0, watermarkMs }).rowCount;
    this.state.spill();
    return late;
  }

  close(watermarkMs: number): Shown {
    const shown: Shown = { closed: [], taken: [] };
    for (const part of this.state.closings(watermarkMs, { areAll: false })) {
      const { closed, taken } = this.state.close(part);
      shown.closed.push(...readResult(this.host.memory, closed));
      shown.taken.push(...readResult(this.host.memory, taken));
      this.state.settle();
      this.state.spill();
    }
    return shown;
  }

  commit(kind: "full" | "delta") {
    return { pages: this.file.checkpoint(kind), state: this.state.save({ full: kind === "full" }) };
  }
}

function randomRows(dice: Dice, from: number): Row[] {
  return Array.from({ length: dice.below(30) }, (): Row => {
    const key = dice.below(12);
    const time = BigInt(from + dice.below(60) - 25);
    return [time, key === 0 ? null : `key ${key}`, BigInt(dice.below(4))];
  });
}

describe("ColdSessions", () => {
  for (const lateness of [0, 15]) {
    test(`give what sessions in memory give, also after restores, lateness ${lateness}`, () => {
      for (let seed = 0; seed < 30; seed++) {
        const dice = new Dice(seed);
        const roomy = new Sessions({ bytesMax: 2 ** 40, lateness });
        let cold = new Sessions({ bytesMax: 0, lateness });
        let chain: { pages: Uint8Array; state: Uint8Array }[] = [];
        for (let round = 0; round < 12; round++) {
          const watermark = round * 20 - 25;
          const rows = randomRows(dice, round * 20);
          expect(cold.add(watermark, rows)).toBe(roomy.add(watermark, rows));
          expect(cold.close(watermark + 20)).toEqual(roomy.close(watermark + 20));
          if (dice.below(2) === 0) continue;
          const kind = chain.length === 0 || chain.length > 3 ? "full" : "delta";
          chain = kind === "full" ? [cold.commit(kind)] : [...chain, cold.commit(kind)];
          if (dice.below(2) === 0) cold = new Sessions({ bytesMax: 0, lateness }, chain);
        }
        expect(cold.close(Infinity)).toEqual(roomy.close(Infinity));
        expect(cold.space.leaveCount).toBeGreaterThan(0);
        expect(roomy.space.leaveCount).toBe(0);
      }
    });
  }

  test("close in parts, in the order of a single close, also where ends are the same", () => {
    const count = 10_000;
    const rows = Array.from({ length: count }, (_, at): Row => [BigInt(at & 1), `${at}`, 1n]);
    const roomy = new Sessions({ bytesMax: 2 ** 40 });
    const tight = new Sessions({ bytesMax: 1 << 18 });
    for (let at = 0; at < count; at += 500) {
      for (const each of [roomy, tight]) each.add(-Infinity, rows.slice(at, at + 500));
    }
    const { closed } = tight.close(11);
    expect(closed).toHaveLength(count);
    expect(closed).toEqual(roomy.close(11).closed);
  });

  test("half a million open sessions take no more memory than a few", () => {
    const sessions = new Sessions({ bytesMax: 8 << 20 });
    const { memory } = sessions.host;
    const count = 500_000;
    const batch = 10_000;
    const table = new RowTable(memory, ["integer", "text", "integer"]);
    const times = memory.allocateZeroed(8 * batch);
    const keys = memory.allocateZeroed(8 * batch);
    const bytes = memory.allocateZeroed(8 * batch);
    const encoder = new TextEncoder();
    for (let at = 0; at < batch; at++) {
      memory.writeUint32(keys + 8 * at, 8 * at);
      memory.writeUint32(keys + 8 * at + 4, 8);
    }
    for (let from = 0; from < count; from += batch) {
      for (let at = 0; at < batch; at++) {
        memory.view.setBigInt64(times + 8 * at, BigInt(from + at), true);
        memory.bytes.set(encoder.encode(String(10_000_000 + from + at)), bytes + 8 * at);
      }
      table.point(0, { values: times });
      table.point(1, { values: keys, base: bytes });
      table.point(2, { values: times });
      table.setRows({ rowCount: batch });
      sessions.state.add({ table, timeColumn: 0, watermarkMs: -Infinity });
      sessions.state.spill();
      expect(sessions.state.bytesHeld).toBeLessThan(12 << 20);
    }
    // They would take some 80 MB.
    expect(memory.bytes.length).toBeLessThan(40 << 20);
    let closed = 0;
    let last = 0;
    for (const part of sessions.state.closings(Infinity, { areAll: true })) {
      const shown = sessions.state.close(part);
      closed += shown.closed.rowCount;
      last = part;
      sessions.state.settle();
      sessions.state.spill();
    }
    expect(closed).toBe(count);
    expect(last).toBe(Infinity);
    expect(memory.bytes.length).toBeLessThan(40 << 20);
  });
});
