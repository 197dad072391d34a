/**
 * Rows of many windows at once, where memory has no room for all of these: they are added a pane
 * at a time, so that the others may be on scratch disk meanwhile. Panes know nothing of each
 * other, and rows of one keep their order, so nothing depends on it.
 */
import { integerAt, rowAt } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { AwayPanes } from "./away-panes.ts";
import type { PieceKernel } from "./piece-merger.ts";
import type { SpillSpace } from "./spill-space.ts";
import type { KernelState } from "./state.ts";

/** How far over its bound memory may be while rows are added. */
const addingShare = 1 / 4;

export class PaneRows {
  readonly #kernel: PieceKernel;
  readonly #state: KernelState;
  readonly #panes: AwayPanes;
  readonly #space: SpillSpace;
  readonly #sizeMs: number;
  readonly #offsetMs: number;

  constructor(
    kernel: PieceKernel,
    options: {
      readonly state: KernelState;
      readonly panes: AwayPanes;
      readonly space: SpillSpace;
      readonly sizeMs: number;
      readonly offsetMs: number;
    },
  ) {
    this.#kernel = kernel;
    this.#state = options.state;
    this.#panes = options.panes;
    this.#space = options.space;
    this.#sizeMs = options.sizeMs;
    this.#offsetMs = options.offsetMs;
  }

  /** Whether rows may need more panes at once than memory has room for. */
  areTooMany(table: RowTable, timeColumn: number): boolean {
    if (this.#panes.awayCount < 2 || table.rowCount < 2) return false;
    const first = this.#kernel.boundOfTimes(table.address, timeColumn, 0);
    const last = this.#kernel.boundOfTimes(table.address, timeColumn, 1);
    const start = first - BigInt(this.#sizeMs) + 1n;
    const bytes = Number(this.#kernel.bytesBetween(this.#state.address, start, last + 1n, 0));
    return this.#space.bytesOver + bytes > this.#space.bytesMax * addingShare;
  }

  /** The rows of each pane, good until the next. */
  *byPane(table: RowTable, timeColumn: number): Generator<RowTable> {
    const byPane = new Map<number, number[]>();
    for (let index = 0; index < table.rowCount; index++) {
      const time = Number(integerAt(table, timeColumn, index));
      const pane = Math.floor((time - this.#offsetMs) / this.#sizeMs);
      const rows = byPane.get(pane);
      if (rows === undefined) byPane.set(pane, [rowAt(table, index)]);
      else rows.push(rowAt(table, index));
    }
    const { memory } = this.#state;
    const part = new RowTable(memory, table.kinds);
    try {
      for (const rows of byPane.values()) {
        const selection = memory.place(new Uint8Array(Uint32Array.from(rows).buffer));
        part.pointTo(table);
        part.setRows({ rowCount: rows.length, selection });
        yield part;
        memory.free(selection);
      }
    } finally {
      part.free();
    }
  }
}
