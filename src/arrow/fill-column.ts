/** One column of a record batch as apache-arrow holds it. */
import { type Data, makeData } from "apache-arrow";
import type { ArrowColumnType } from "./arrow-column.ts";
import { type Cells, columnBuffers } from "./column-buffers.ts";
import { arrowType } from "./library-schema.ts";

export function fillColumn(type: ArrowColumnType, cells: Cells): Data {
  const made = { type: arrowType(type), length: cells.length, ...columnBuffers(type, cells) };
  // The union of all makeData's parameters is decided by `type`, which is of no one type here.
  return makeData(made as unknown as Parameters<typeof makeData>[0]);
}
