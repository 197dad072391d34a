/**
 * The memory of the JSON kernel as `wasm/sql/parts/json-layout.ts` describes it; both change
 * together.
 */
export const jsonContextBytes = 128;

export const jsonContextField = {
  columns: 0,
  columnCount: 4,
  root: 8,
  status: 12,
  errors: 16,
  errorCount: 20,
  deferred: 24,
  deferredCapacity: 28,
  deferredCount: 32,
  arena: 36,
  arenaEnd: 40,
  arenaTop: 44,
  work: 48,
  graph: 52,
  graphEnd: 56,
  hits: 88,
  misses: 92,
  isGeneric: 96,
  graphDepth: 108,
} as const;

export const jsonColumnBytes = 64;

export const jsonColumnField = {
  type: 0,
  values: 4,
  nulls: 8,
  /** Integers: 64 less their bits; decimals: their scale. */
  shiftOrScale: 12,
  limit: 16,
  next: 32,
  isRequired: 36,
} as const;

export const jsonNodeBytes = 16;
export const jsonFieldBytes = 64;

export const jsonFieldField = {
  keyLength: 0,
  key: 4,
  head: 8,
  headMask: 16,
  column: 24,
  node: 28,
  someColumn: 36,
  bit: 40,
  action: 48,
} as const;

/** Errors and deferred numbers. */
export const jsonEntryBytes = 16;

export const jsonTypes = {
  integer: 0,
  boolean: 1,
  double: 2,
  float: 3,
  decimal: 4,
  wideDecimal: 5,
  text: 6,
  bytes: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  json: 11,
  row: 12,
} as const;

export type JsonType = keyof typeof jsonTypes;

/** How the shape graph takes a wanted value: any column, or one of those that it knows itself. */
export const jsonActions = { field: 5, column: 6, integer: 7, text: 8, timestamp: 9, real: 10 };

/** Work memory, the graph, and what must follow the input so that every scan ends. */
export const jsonWorkBytes = 32 * 1024;
export const jsonGraphBytes = 64 * 1024;
export const inputTailBytes = 256;

/** The most bytes of a name: all of them may come as six-byte escapes. */
export const jsonNameBytesMax = 600;
/** How deep the kernel learns keys that nobody wants. */
export const jsonLearnedDepthMax = 12;
/** Wanted keys that the shape graph can tell apart. */
export const jsonBitsMax = 64;
