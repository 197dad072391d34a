import type { PlanNode } from "./plan.ts";

/** Nodes whose rows a node takes, in order. */
export function inputsOf(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case "source":
    case "values":
      return [];
    case "union":
      return node.inputs;
    case "windowJoin":
    case "intervalJoin":
      return [node.left, node.right];
    default:
      return [node.input];
  }
}

/** Whether some of a plan's rows stand in the statement. */
export function hasValues(node: PlanNode): boolean {
  return node.kind === "values" || inputsOf(node).some(hasValues);
}
