/** Rows of a table some at a time. */
import { rowAt } from "./row-access.ts";
import { RowTable } from "./row-table.ts";

/** Tables of at most `rowsMax` rows each, in order, good until the next; the table where it is. */
export function* rowParts(table: RowTable, rowsMax: number): Generator<RowTable, void> {
  const { rowCount, memory } = table;
  if (rowCount <= rowsMax) {
    yield table;
    return;
  }
  const part = new RowTable(memory, table.kinds);
  const selection = memory.allocate(4 * rowsMax);
  try {
    for (let first = 0; first < rowCount; first += rowsMax) {
      const count = Math.min(rowsMax, rowCount - first);
      for (let index = 0; index < count; index++) {
        memory.writeUint32(selection + 4 * index, rowAt(table, first + index));
      }
      part.pointTo(table);
      part.setRows({ rowCount: count, selection });
      yield part;
    }
  } finally {
    memory.free(selection);
    part.free();
  }
}
