/** The bound on a tree's height: whoever walks it later may recurse. */
import type { Cursor } from "./cursor.ts";
import { treeHeightMax } from "./limits.ts";
import type { AstNode } from "./node.ts";

interface Visit {
  readonly value: object;
  readonly height: number;
}

/**
 * Throws when a path from the root passes more nodes than `treeHeightMax`. A tree cannot be higher
 * than its text is long, which spares the walk for most statements.
 */
export function checkHeight(cursor: Cursor, root: object): void {
  if (cursor.text.length < treeHeightMax) return;
  const waiting: Visit[] = [{ value: root, height: 0 }];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const isNode = "at" in visit.value;
    const height = visit.height + (isNode ? 1 : 0);
    if (isNode && height > treeHeightMax) {
      const problem = `more than ${treeHeightMax} operators and queries on each other`;
      throw cursor.error("sql_too_large", visit.value as AstNode, {
        problem: `${problem}; use IN, CASE or a view`,
      });
    }
    for (const value of Object.values(visit.value)) {
      if (typeof value === "object" && value !== null) waiting.push({ value, height });
    }
  }
}
