/**
 * How the entries of a state (one per group, or per session) lie in memory, from what a plan node
 * asks for. The kernels (`wasm/sql/parts/fields.ts`: keep in step) interpret the words written
 * here.
 *
 * An entry: 16 bytes of head, then slots of 8, 16 or 24 bytes, then a byte per nullable slot. Its
 * size is the stride of the columns that show it, so that entries are a Table as they lie.
 *
 * Every `Accumulator` of `plan.ts` is covered, over every kind that the checker lets through:
 *
 * | accumulator         | slot                    | beside it                                     |
 * |---------------------|-------------------------|-----------------------------------------------|
 * | count               | integer                 |                                               |
 * | sum of integer      | wide, exact             | count of values, if rows may be taken back    |
 * | sum of wide         | 192 bits, shown as wide | the same; too large a sum is reported         |
 * | sum of real         | real                    | the same                                      |
 * | sumSquares          | real                    | the same                                      |
 * | min, max            | as the input            |                                               |
 * | first, last         | as the input            | order of arrival                              |
 * | approxCountDistinct | integer                 | 2^12 registers of a HyperLogLog               |
 *
 * DISTINCT counts, sums and sums of squares keep each value with its multiplicity, and so do min,
 * max, first and last when rows may be taken back; approxCountDistinct is then an exact count.
 * DISTINCT changes nothing for min, max, first and last. Where rows are never taken back, DISTINCT
 * counts, and sums of integers, need no multiplicity: those over one column share a set, in which
 * a value has a bit for each of them (`wasm/sql/parts/sets.ts`).
 */
import { assert, present } from "../../base/assert.ts";
import { kindCodes, slotBytes } from "../memory/column-layout.ts";
import type { Accumulator } from "../plan/plan.ts";
import type { ValueKind } from "../types/data-type.ts";

export interface StateSpec {
  /** Kinds of the columns of the tables that rows come in. */
  readonly input: readonly ValueKind[];
  /** Input columns that make the group; none: one group. */
  readonly keys: readonly number[];
  readonly accumulators: readonly Accumulator[];
  /** Rows may have weight −1. */
  readonly isRetractable: boolean;
  /** `changes` will be asked for. */
  readonly tracksChanges: boolean;
  readonly isSession: boolean;
  /**
   * Which groups get names, numbers in the order in which they appeared, by which sets know them
   * and the order is known while they are not in memory: all, or those with sets. Absent: none.
   */
  readonly names?: "all" | "sets";
}

export interface StateLayout {
  /** Position independent: addresses in it are offsets from its start until `relocate`. */
  readonly words: Uint32Array;
  /** A number that differs when layouts differ: checkpoints carry it. */
  readonly fingerprint: number;
  readonly entryBytes: number;
  readonly isNamed: boolean;
  /** Whether DISTINCT values of some accumulator are in a set. */
  readonly hasSets: boolean;
  /** Numbers of the sets of texts and blobs. */
  readonly textSets: ReadonlySet<number>;
  /** Kinds of the columns of results: keys, accumulators, window start, end and time. */
  readonly resultKinds: readonly ValueKind[];
}

const op = {
  count: 0,
  sumInteger: 1,
  sumReal: 2,
  sumWide: 3,
  sumSquares: 4,
  min: 5,
  max: 6,
  first: 7,
  last: 8,
  approximate: 9,
} as const;

const fieldSort = { byte: 0, eight: 1, text: 2, registers: 3, sixteen: 4 } as const;

const headBytes = 16;
const layoutWords = 17;
const keyWords = 4;
const accumulatorWords = 11;
/** Words of both before there were sets and names, over which fingerprints are taken for ever. */
const plainWords = { layout: 16, accumulator: 9 } as const;
/** Bits of a member of a set. */
const setBits = 16;
const fieldWords = 3;
const flag = { tracksChanges: 1, integerKey: 2 } as const;

/** Words of the layout's head that hold addresses. */
const addressWords = [6, 7, 8, 9] as const;

interface Field {
  readonly sort: number;
  readonly offset: number;
  readonly accumulator: number;
}

/** An accumulator with where its parts lie in an entry; 0: it has no such part. */
interface PlacedAccumulator {
  readonly op: number;
  readonly kind: ValueKind;
  readonly resultKind: ValueKind;
  readonly column: number | null;
  readonly filter: number | null;
  readonly slot: number;
  readonly hidden: number;
  readonly nodes: number;
  nullByte: number;
  stale: number;
  /** Number of its set + 1, and its bit in it; 0: none. */
  set: number;
  bit: number;
}

/** Hands out places in an entry: slots first, bytes behind all of them. */
class EntryPlan {
  bytes = headBytes;

  place(bytes: number): number {
    const offset = this.bytes;
    this.bytes += bytes;
    return offset;
  }
}

export function planState(spec: StateSpec): StateLayout {
  const { parts, resultKinds } = placeState(spec, true);
  // Entries of checkpoints are the same with and without sets, and so is what names them.
  const plain = writeWords(placeState(spec, false).parts, plainWords);
  return {
    words: writeWords(parts, { layout: layoutWords, accumulator: accumulatorWords }),
    fingerprint: fingerprintOf(plain),
    entryBytes: present(parts.head[0], "entry size"),
    isNamed: parts.name !== 0,
    hasSets: parts.accumulators.some(({ set }) => set !== 0),
    textSets: textSetsOf(parts.accumulators),
    resultKinds,
  };
}

function placeState(spec: StateSpec, hasSets: boolean) {
  const entry = new EntryPlan();
  const keysKinds = spec.keys.map((column) => present(spec.input[column], "key column"));
  const countsRows = spec.isRetractable || spec.tracksChanges;
  const rows = countsRows ? entry.place(8) : 0;
  const keySlots = keysKinds.map((kind) => entry.place(slotBytes(kind)));
  const accumulators = spec.accumulators.map((each) =>
    placeAccumulator(entry, spec, each, hasSets && isInSet(spec, each)),
  );
  if (hasSets) numberSets(spec, accumulators);
  const session = spec.isSession ? placeSession(entry) : null;
  const isNamed =
    spec.names === "all" || (spec.names === "sets" && accumulators.some(({ set }) => set !== 0));
  const name = hasSets && isNamed ? entry.place(8) : 0;
  const keyNulls = keysKinds.map(() => entry.place(1));
  for (const each of accumulators) {
    if (each.resultKind !== "integer" || each.op >= op.min) {
      if (each.op !== op.approximate) each.nullByte = entry.place(1);
    }
    if (each.nodes !== 0 && each.op >= op.min) each.stale = entry.place(1);
  }
  entry.bytes = (entry.bytes + 7) & ~7;
  const fields = [
    ...keysKinds.flatMap((kind, key) => [
      slotField(kind, present(keySlots[key], "key slot"), 0),
      { sort: fieldSort.byte, offset: present(keyNulls[key], "key null"), accumulator: 0 },
    ]),
    ...(rows === 0 ? [] : [{ sort: fieldSort.eight, offset: rows, accumulator: 0 }]),
    ...accumulators.flatMap(accumulatorFields),
    ...(session === null ? [] : session.fields),
  ];
  const isIntegerKey = keysKinds.length === 1 && keysKinds[0] === "integer";
  const flags =
    (spec.tracksChanges ? flag.tracksChanges : 0) | (isIntegerKey ? flag.integerKey : 0);
  const head = [entry.bytes, spec.keys.length, accumulators.length, fields.length, rows, flags];
  const keys = spec.keys.flatMap((column, key) => [
    kindCodes[present(keysKinds[key], "key kind")],
    present(keySlots[key], "key slot"),
    present(keyNulls[key], "key null"),
    column,
  ]);
  const accumulated = accumulators.map((each) => each.resultKind);
  const resultKinds: ValueKind[] = [
    ...keysKinds,
    ...accumulated,
    ...(["integer", "integer", "integer"] as const),
  ];
  const parts = { head, session: session?.offsets ?? [], name, keys, accumulators, fields };
  return { parts, resultKinds };
}

/** Whether the values of an accumulator are in a set. */
function isInSet(spec: StateSpec, { kind, column, isDistinct }: Accumulator): boolean {
  if (spec.isRetractable || spec.isSession || !isDistinct || column === null) return false;
  const input = spec.input[column];
  return kind === "count" ? input !== "wide" : kind === "sum" && input === "integer";
}

function textSetsOf(accumulators: readonly PlacedAccumulator[]): ReadonlySet<number> {
  const isText = (kind: ValueKind) => kind === "text" || kind === "blob";
  const those = accumulators.filter(({ kind, set }) => set !== 0 && isText(kind));
  return new Set(those.map(({ set }) => set - 1));
}

/** Sets are numbered as their first accumulators come; one has as many bits as a member. */
function numberSets(spec: StateSpec, accumulators: readonly PlacedAccumulator[]): void {
  const sets = new Map<number, { number: number; used: number }>();
  let count = 0;
  for (const [index, accumulator] of spec.accumulators.entries()) {
    const placed = present(accumulators[index], "accumulator");
    const { column } = accumulator;
    if (column === null || !isInSet(spec, accumulator)) continue;
    let set = sets.get(column);
    if (set === undefined || set.used === setBits) {
      set = { number: ++count, used: 0 };
      sets.set(column, set);
    }
    placed.set = set.number;
    placed.bit = 1 << set.used++;
  }
}

/** Places start, end, creation, chain and bucket links, and whether the session's row is out. */
function placeSession(entry: EntryPlan): { offsets: number[]; fields: Field[] } {
  const start = entry.place(8);
  const end = entry.place(8);
  const created = entry.place(8);
  const chain = entry.place(4);
  const bucket = entry.place(4);
  const fired = entry.place(8);
  const fields = [start, end, created, fired].map((offset) => ({
    sort: fieldSort.eight,
    offset,
    accumulator: 0,
  }));
  return { offsets: [start, end, created, chain, bucket, fired], fields };
}

function placeAccumulator(
  entry: EntryPlan,
  spec: StateSpec,
  accumulator: Accumulator,
  inSet: boolean,
): PlacedAccumulator {
  const { column, filter, isDistinct, kind: name } = accumulator;
  const kind = column === null ? "integer" : present(spec.input[column], "accumulated column");
  assert(column !== null || name === "count", `${name} has an argument`);
  const { isRetractable } = spec;
  const base = { kind, column, filter, nullByte: 0, stale: 0, set: 0, bit: 0 };
  const placeNodes = (isNeeded: boolean) => (isNeeded && !inSet ? entry.place(8) : 0);
  if (name === "count" || (name === "approxCountDistinct" && isRetractable)) {
    const isCountDistinct = isDistinct || name !== "count";
    assert(!isCountDistinct || column !== null, "DISTINCT has an argument");
    const slot = entry.place(8);
    const nodes = placeNodes(isCountDistinct);
    return { ...base, op: op.count, resultKind: "integer", slot, hidden: 0, nodes };
  }
  if (name === "approxCountDistinct") {
    const slot = entry.place(8);
    const hidden = entry.place(8);
    return { ...base, op: op.approximate, resultKind: "integer", slot, hidden, nodes: 0 };
  }
  if (name === "sum" || name === "sumSquares") {
    assert(kind !== "text" && kind !== "blob", `${name} has a number as argument`);
    const code = name === "sumSquares" ? op.sumSquares : sumOps[kind];
    assert(code !== op.sumSquares || kind !== "wide", "squares are of DOUBLE");
    const resultKind = code === op.sumReal || code === op.sumSquares ? "real" : "wide";
    const slot = entry.place(code === op.sumWide ? 24 : resultKind === "real" ? 8 : 16);
    const hidden = isRetractable ? entry.place(8) : 0;
    return { ...base, op: code, resultKind, slot, hidden, nodes: placeNodes(isDistinct) };
  }
  const slot = entry.place(slotBytes(kind));
  const isOrdered = name === "first" || name === "last";
  const hidden = isOrdered && !isRetractable ? entry.place(8) : 0;
  const nodes = placeNodes(isRetractable);
  return { ...base, op: op[name], resultKind: kind, slot, hidden, nodes };
}

const sumOps = { integer: op.sumInteger, real: op.sumReal, wide: op.sumWide } as const;

function slotField(kind: ValueKind, offset: number, accumulator: number): Field {
  const sort =
    kind === "text" || kind === "blob"
      ? fieldSort.text
      : kind === "wide"
        ? fieldSort.sixteen
        : fieldSort.eight;
  return { sort, offset, accumulator };
}

function accumulatorFields(each: PlacedAccumulator, accumulator: number): Field[] {
  const fields = [slotField(each.resultKind, each.slot, accumulator)];
  const add = (sort: number, offset: number) => fields.push({ sort, offset, accumulator });
  if (each.op === op.sumWide) add(fieldSort.eight, each.slot + 16);
  if (each.nullByte !== 0) add(fieldSort.byte, each.nullByte);
  if (each.hidden !== 0) {
    add(each.op === op.approximate ? fieldSort.registers : fieldSort.eight, each.hidden);
  }
  return fields;
}

interface LayoutParts {
  readonly head: readonly number[];
  readonly session: readonly number[];
  readonly name: number;
  readonly keys: readonly number[];
  readonly accumulators: readonly PlacedAccumulator[];
  readonly fields: readonly Field[];
}

function writeWords(
  { head, session, name, keys, accumulators, fields }: LayoutParts,
  lengths: { readonly layout: number; readonly accumulator: number },
): Uint32Array {
  const keysAt = lengths.layout;
  const accumulatorLength = lengths.accumulator;
  const accumulatorsAt = keysAt + keys.length;
  const fieldsAt = accumulatorsAt + accumulators.length * accumulatorLength;
  const templateAt = fieldsAt + fields.length * fieldWords;
  const entryBytes = present(head[0], "entry size");
  const words = new Uint32Array(templateAt + entryBytes / 4);
  assert(keys.length % keyWords === 0, "keys are whole");
  words.set(head);
  words.set([keysAt * 4, accumulatorsAt * 4, fieldsAt * 4, templateAt * 4], 6);
  words.set(session, 10);
  if (name !== 0) words[16] = name;
  words.set(keys, keysAt);
  for (const [index, each] of accumulators.entries()) {
    const column = each.column === null ? 0 : each.column + 1;
    const filter = each.filter === null ? 0 : each.filter + 1;
    const { nullByte, hidden, nodes, stale, set, bit } = each;
    const places = [each.slot, nullByte, column, filter, hidden, nodes, stale, set, bit];
    const values = [each.op, kindCodes[each.kind], ...places];
    words.set(values.slice(0, accumulatorLength), accumulatorsAt + index * accumulatorLength);
  }
  for (const [index, each] of fields.entries()) {
    words.set([each.sort, each.offset, each.accumulator], fieldsAt + index * fieldWords);
  }
  // A group that has seen no value shows NULL.
  const template = new Uint8Array(words.buffer, templateAt * 4, entryBytes);
  const view = new DataView(words.buffer, templateAt * 4, entryBytes);
  for (const each of accumulators) {
    if (each.nullByte !== 0) template[each.nullByte] = 1;
    if (each.kind !== "integer") continue;
    // What any integer is better than.
    if (each.op === op.min) view.setBigInt64(each.slot, 2n ** 63n - 1n, true);
    if (each.op === op.max) view.setBigInt64(each.slot, -(2n ** 63n), true);
  }
  return words;
}

/** The bytes of a layout that lies at `address`. */
export function relocate(layout: StateLayout, address: number): Uint8Array {
  const words = layout.words.slice();
  for (const word of addressWords) words[word] = present(words[word], "address") + address;
  return new Uint8Array(words.buffer);
}

/** FNV-1a over the words. */
function fingerprintOf(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193) >>> 0;
  return hash;
}
