/** Walks over scalars: which columns they read, and copies with other leaves. */
import type { Scalar } from "./scalar.ts";

export function childrenOf(scalar: Scalar): readonly Scalar[] {
  switch (scalar.kind) {
    case "column":
    case "literal":
      return [];
    case "call":
      return scalar.args;
    case "case":
      return [...scalar.branches.flatMap(({ when, result }) => [when, result]), scalar.otherwise];
    case "cast":
      return [scalar.input];
  }
}

/**
 * A copy in which `replace` has had its say at every node from the top; null: go on below it.
 * What has not changed is the same object.
 */
export function mapScalar(scalar: Scalar, replace: (each: Scalar) => Scalar | null): Scalar {
  const replaced = replace(scalar);
  if (replaced !== null) return replaced;
  const walk = (each: Scalar) => mapScalar(each, replace);
  switch (scalar.kind) {
    case "column":
    case "literal":
      return scalar;
    case "call":
      return { ...scalar, args: scalar.args.map(walk) };
    case "case":
      return {
        ...scalar,
        branches: scalar.branches.map(({ when, result }) => ({
          when: walk(when),
          result: walk(result),
        })),
        otherwise: walk(scalar.otherwise),
      };
    case "cast":
      return { ...scalar, input: walk(scalar.input) };
  }
}

/** Adds the columns that a scalar reads to `into`. */
export function collectColumns(scalar: Scalar, into: Set<number>): Set<number> {
  if (scalar.kind === "column") into.add(scalar.index);
  for (const child of childrenOf(scalar)) collectColumns(child, into);
  return into;
}

export function columnsOf(scalar: Scalar): Set<number> {
  return collectColumns(scalar, new Set());
}

/** The scalar over other columns: `indexOf` says where each has gone. */
export function moveColumns(scalar: Scalar, indexOf: (index: number) => number): Scalar {
  return mapScalar(scalar, (each) =>
    each.kind === "column" ? { ...each, index: indexOf(each.index) } : null,
  );
}

/** The scalar with its columns replaced by what computes them. */
export function substitute(scalar: Scalar, projections: readonly Scalar[]): Scalar {
  return mapScalar(scalar, (each) =>
    each.kind === "column" ? (projections[each.index] ?? each) : null,
  );
}

/** Equal for scalars that mean the same: the key under which they are compared. */
export function scalarKey(scalar: Scalar): string {
  return JSON.stringify(scalar, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    return value instanceof Uint8Array ? `x${Array.from(value)}` : value;
  });
}

export function scalarNullable(scalar: Scalar): boolean {
  return scalar.kind === "literal" ? scalar.value === null : scalar.nullable;
}

export function conjunctsOf(scalar: Scalar): readonly Scalar[] {
  return scalar.kind === "call" && scalar.name === "and"
    ? scalar.args.flatMap(conjunctsOf)
    : [scalar];
}

/** The conjunction; null for none. */
export function conjunction(scalars: readonly Scalar[]): Scalar | null {
  const [first] = scalars;
  if (first === undefined || scalars.length === 1) return first ?? null;
  return {
    kind: "call",
    name: "and",
    args: scalars,
    type: { kind: "boolean" },
    nullable: scalars.some(scalarNullable),
  };
}
