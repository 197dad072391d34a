/** A syntax tree without the places of its nodes: equal for texts that mean the same. */
export function withoutSpans(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(withoutSpans);
  if (typeof tree !== "object" || tree === null) return tree;
  const kept = Object.entries(tree).filter(([key]) => key !== "at" && key !== "operatorAt");
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutSpans(value)]));
}
