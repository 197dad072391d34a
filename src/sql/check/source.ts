/** A stream of the catalog as a relation: its columns in their order, and PROCTIME() unseen. */
import { columnOf, makeCalc } from "../plan/calc.ts";
import type { PlanColumn, SourceNode, SourceOrigin } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { moveColumns } from "../plan/scalar-walk.ts";
import type { StreamColumn, StreamEntry } from "./catalog.ts";
import type { Relation } from "./relation.ts";
import { plainField } from "./scope.ts";

const proctimeColumn: PlanColumn = {
  name: "$proctime",
  type: { kind: "timestampLtz" },
  nullable: false,
  time: "proctime",
};

export function sourceRelation(entry: StreamEntry, alias: string): Relation {
  const origins: SourceOrigin[] = [];
  const computed: Scalar[] = [];
  const places = new Map<string, number>();
  const plain = entry.columns.filter(({ from }) => from.kind !== "computed");
  const derived = entry.columns.filter(({ from }) => from.kind === "computed");
  for (const column of plain) {
    places.set(column.name, origins.length);
    origins.push(originOf(column));
  }
  const proctime = origins.length;
  origins.push({ from: "proctime" });
  for (const column of derived) {
    if (column.from.kind !== "computed") continue;
    places.set(column.name, origins.length + computed.length);
    computed.push(
      moveColumns(
        column.from.expression,
        (index) => places.get(entry.columns[index]?.name ?? "") ?? 0,
      ),
    );
  }
  const columns = [
    ...plain.map((column) => planColumn(entry, column)),
    proctimeColumn,
    ...derived.map((column) => planColumn(entry, column)),
  ];
  const node = sourceNode(entry, { origins, computed, columns, places });
  const order = [...entry.columns.map(({ name }) => places.get(name) ?? 0), proctime];
  return {
    node: makeCalc({
      input: node,
      filter: null,
      projections: order.map((index) => columnOf(node, index)),
      columns: order.map((index) => columns[index] ?? proctimeColumn),
    }),
    fields: [
      ...entry.columns.map(({ name }) => plainField(alias, name)),
      { ...plainField(alias, "$proctime"), isHidden: true },
    ],
  };
}

interface SourceParts {
  readonly origins: readonly SourceOrigin[];
  readonly computed: readonly Scalar[];
  readonly columns: readonly PlanColumn[];
  readonly places: ReadonlyMap<string, number>;
}

function sourceNode(entry: StreamEntry, parts: SourceParts): SourceNode {
  const { watermark } = entry;
  const key = entry.primaryKey.map((name) => parts.places.get(name) ?? 0);
  return {
    kind: "source",
    stream: entry.name,
    topic: entry.topic,
    format: entry.format,
    origins: parts.origins,
    computed: parts.computed,
    watermark:
      watermark === null
        ? null
        : {
            ...{ column: parts.places.get(watermark.column) ?? 0, delayMs: watermark.delayMs },
            ...(entry.kind === "materialized view" && { isCommitted: true as const }),
          },
    startup: entry.startup,
    idleTimeoutMs: entry.idleTimeoutMs,
    options: entry.options,
    columns: parts.columns,
    changes: entry.changes,
    key: entry.changes === "update" && key.length > 0 ? key : null,
  };
}

function planColumn(entry: StreamEntry, column: StreamColumn): PlanColumn {
  const isRowtime = entry.watermark?.column === column.name && entry.changes === "append";
  const time = column.from.kind === "proctime" ? "proctime" : isRowtime ? "rowtime" : null;
  return { name: column.name, type: column.type, nullable: column.nullable, time };
}

function originOf({ name, from }: StreamColumn): SourceOrigin {
  if (from.kind === "metadata") return { from: "metadata", field: from.field };
  return from.kind === "proctime" ? { from: "proctime" } : { from: "value", path: [name] };
}
