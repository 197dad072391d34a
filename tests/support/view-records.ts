/** Record batches as a view's topic holds them, and what folding them by key leaves. */
import { silentLogger } from "../../src/base/log.ts";
import type { ViewSetup, ViewStatement } from "../../src/pipeline/view-table.ts";
import { ViewTable } from "../../src/pipeline/view-table.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import { createPlatform } from "../../src/runtime/node/platform.ts";
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";

const viewPlatform = createPlatform({ log: silentLogger });
const modules = loadSqlModules();

export interface ViewChange {
  readonly key: number;
  /** Null: a tombstone. */
  readonly value: number | null;
}

const bigint = { kind: "bigint" } as const;

export const keyedView: ViewSetup = {
  ...{ name: "totals", topic: "totals", key: [0], isUpdating: true, changesMax: 1_000_000 },
  memoryBytesMax: 64 * 1024 * 1024,
  columns: [
    { name: "k", type: bigint, nullable: true },
    { name: "n", type: bigint, nullable: true },
  ],
};

export function openViewTable(setup: ViewSetup = keyedView): ViewTable {
  return new ViewTable({ platform: viewPlatform, modules }, setup);
}

/** A batch of changes; they have the offsets from `baseOffset` on. */
export function changesBatch(changes: readonly ViewChange[], baseOffset: number): Uint8Array {
  const encoder = new TextEncoder();
  const records = changes.map(({ key, value }) => ({
    timestamp: 0,
    key: encoder.encode(JSON.stringify({ k: key })),
    value: value === null ? null : encoder.encode(JSON.stringify({ k: key, n: value })),
  }));
  return encodeBatch({ records, codec: "none", baseOffset }, viewPlatform);
}

/** A statement whose columns are `k` and `n`, behind them what else is given. */
export function keyedStatement(sql: string): ViewStatement {
  const column = (name: string, index: number) => ({ name, type: bigint, column: index });
  const value = ["k", "n"].map(column);
  return { sql, params: [], lookups: [], shape: { value, key: [] } };
}

export function valuesIn(batches: readonly Uint8Array[]): unknown[] {
  const options = { codecs: viewPlatform.codecs, sizeMax: 1e9 };
  return batches.flatMap((batch) =>
    [...decodeRecords(batch, options)].map(({ value }) =>
      JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())),
    ),
  );
}
