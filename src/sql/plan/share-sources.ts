/**
 * A stream that a plan reads in several places, each with the columns that it needs there, is read
 * once: one source decodes the columns of all, and each place picks its own. A self-join then
 * decodes its topic once.
 */
import { columnOf, makeCalc } from "./calc.ts";
import { inputsOf } from "./inputs-of.ts";
import { mapInputs } from "./map-inputs.ts";
import type { PlanColumn, PlanNode, SourceNode, SourceOrigin } from "./plan.ts";
import { planToText } from "./plan-text.ts";
import type { Scalar } from "./scalar.ts";
import { moveColumns } from "./scalar-walk.ts";

/** The same plan; nodes that read what nobody else reads stay as they are. */
export function shareSources(root: PlanNode): PlanNode {
  const shared = new Map<string, SharedSource>();
  for (const source of sourcesIn(root)) {
    const key = keyOf(source);
    const known = shared.get(key) ?? new SharedSource(source);
    known.take(source);
    shared.set(key, known);
  }
  return [...shared.values()].some(({ isShared }) => isShared) ? replaced(root, shared) : root;
}

function replaced(node: PlanNode, shared: ReadonlyMap<string, SharedSource>): PlanNode {
  if (node.kind !== "source") return mapInputs(node, (input) => replaced(input, shared));
  const found = shared.get(keyOf(node));
  return found?.isShared ? found.pick(node) : node;
}

function sourcesIn(node: PlanNode): readonly SourceNode[] {
  return node.kind === "source" ? [node] : inputsOf(node).flatMap(sourcesIn);
}

/** What must be the same for two places to read alike; columns need not. */
function keyOf(source: SourceNode): string {
  const { stream, topic, format, startup, idleTimeoutMs, options, watermark } = source;
  const time = watermark === null ? null : definitionOf(source, watermark.column);
  const { delayMs = null, isCommitted = false } = watermark ?? {};
  const when = { time, delayMs, isCommitted };
  return planToText({ stream, topic, format, startup, idleTimeoutMs, options, ...when });
}

/** What a column of a source is, whatever else the source reads. */
function definitionOf({ origins, computed }: SourceNode, column: number): unknown {
  const origin = origins[column];
  if (origin !== undefined) return origin;
  const scalar = computed[column - origins.length] as Scalar;
  // Columns by what they are instead of by their places.
  const inputs: SourceOrigin[] = [];
  const moved = moveColumns(scalar, (index) => inputs.push(origins[index] as SourceOrigin) - 1);
  return { moved, inputs };
}

class SharedSource {
  readonly #first: SourceNode;
  readonly #origins = new Map<
    string,
    { readonly origin: SourceOrigin; readonly column: PlanColumn }
  >();
  readonly #computed = new Map<string, { readonly source: SourceNode; readonly index: number }>();
  readonly #readers = new Set<string>();

  constructor(first: SourceNode) {
    this.#first = first;
  }

  /** Whether there are places with different columns. */
  get isShared(): boolean {
    return this.#readers.size > 1;
  }

  take(source: SourceNode): void {
    this.#readers.add(planToText(source));
    for (const [index, origin] of source.origins.entries()) {
      const column = source.columns[index] as PlanColumn;
      const key = originKey(origin, column);
      if (!this.#origins.has(key)) this.#origins.set(key, { origin, column });
    }
    for (const index of source.computed.keys()) {
      const key = this.#computedKey(source, index);
      if (!this.#computed.has(key)) this.#computed.set(key, { source, index });
    }
  }

  /** The place's columns out of the shared source. */
  pick(source: SourceNode): PlanNode {
    const input = this.#node();
    const origins = [...this.#origins.keys()];
    const computed = [...this.#computed.keys()];
    const projections = source.columns.map((column, index) => {
      const origin = source.origins[index];
      const place =
        origin === undefined
          ? origins.length +
            computed.indexOf(this.#computedKey(source, index - source.origins.length))
          : origins.indexOf(originKey(origin, column));
      return columnOf(input, place);
    });
    return makeCalc({ input, filter: null, projections, columns: source.columns });
  }

  #node(): SourceNode {
    const origins = [...this.#origins.values()];
    const computed = [...this.#computed.values()].map(({ source, index }) => ({
      scalar: moveColumns(source.computed[index] as Scalar, (place) =>
        this.#placeOf(source, place),
      ),
      column: source.columns[source.origins.length + index] as PlanColumn,
    }));
    const { watermark } = this.#first;
    return {
      ...this.#first,
      origins: origins.map(({ origin }) => origin),
      computed: computed.map(({ scalar }) => scalar),
      columns: [...origins, ...computed].map(({ column }) => column),
      watermark:
        watermark === null
          ? null
          : { ...watermark, column: this.#columnPlace(this.#first, watermark.column) },
    };
  }

  #columnPlace(source: SourceNode, column: number): number {
    if (column < source.origins.length) return this.#placeOf(source, column);
    const key = this.#computedKey(source, column - source.origins.length);
    return this.#origins.size + [...this.#computed.keys()].indexOf(key);
  }

  #placeOf(source: SourceNode, place: number): number {
    const key = originKey(
      source.origins[place] as SourceOrigin,
      source.columns[place] as PlanColumn,
    );
    return [...this.#origins.keys()].indexOf(key);
  }

  #computedKey(source: SourceNode, index: number): string {
    return planToText(definitionOf(source, source.origins.length + index));
  }
}

function originKey(origin: SourceOrigin, { type, nullable, time }: PlanColumn): string {
  return planToText({ origin, type, nullable, time });
}
