/** Plans are rewritten from their inputs up. */
import { makeCalc } from "./calc.ts";
import type { PlanNode } from "./plan.ts";

/** The same node over other inputs; what follows from its inputs is worked out anew. */
export function mapInputs(node: PlanNode, map: (input: PlanNode) => PlanNode): PlanNode {
  switch (node.kind) {
    case "source":
    case "values":
      return node;
    case "calc":
      return makeCalc({ ...node, input: map(node.input) });
    case "union": {
      const inputs = node.inputs.map(map);
      const isUpdate = inputs.some(({ changes }) => changes === "update");
      return { ...node, inputs, changes: isUpdate ? "update" : "append" };
    }
    case "windowJoin":
    case "intervalJoin":
      return { ...node, left: map(node.left), right: map(node.right) };
    case "sort": {
      const input = map(node.input);
      return { ...node, input, changes: input.changes, key: input.key };
    }
    default:
      return { ...node, input: map(node.input) };
  }
}
