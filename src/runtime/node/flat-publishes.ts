/**
 * Publishes as one list of numbers, for messages between threads: a clone of their objects, some
 * hundred properties for each slice that a query is given, took the sender 0.1 ms, a list of
 * numbers is copied whole. Texts (topics, keys of objects) stand in a list of their own, once each.
 *
 *   publish    publishedAt, created, committed + 1 (0: not said), runs; then these
 *   created    topic, partition
 *   committed  topic, watermark, activity
 *   run        topic, partition, fromOffset, batches, stored (0 or 1; 2: a place alone); places of
 *              the batches; then key, position, baseOffset, lastOffset, and pieces with the places
 *              of the pieces, or the length
 *   place      as a SharedPlace: number, start, end
 */
import type { TaskPublish } from "../../sql/engine/query-task.ts";
import type { Activity } from "../../sql/time/event-time.ts";
import type { SharedPlace } from "./shared-names.ts";

export interface FlatPublishes {
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly texts: readonly string[];
}

type Run = TaskPublish["runs"][number];
type Stored = Pick<Run, "stored" | "place">;

/** Whether a run comes as it is stored. */
const storedKind = { not: 0, pieces: 1, place: 2 } as const;

export function flattenPublishes(
  publishes: readonly TaskPublish[],
  placeOf: (bytes: Uint8Array) => SharedPlace,
): FlatPublishes {
  const numbers: number[] = [];
  const texts: string[] = [];
  const known = new Map<string, number>();
  const text = (value: string): number => {
    let place = known.get(value);
    if (place === undefined) {
      place = texts.push(value) - 1;
      known.set(value, place);
    }
    return place;
  };
  const places = (all: readonly Uint8Array[]) => {
    for (const bytes of all) numbers.push(...placeOf(bytes));
  };
  for (const { publishedAt, created, committed, runs } of publishes) {
    const committedCount = committed === undefined ? 0 : committed.length + 1;
    numbers.push(publishedAt, created.length, committedCount, runs.length);
    for (const { topic, partition } of created) numbers.push(text(topic), partition);
    for (const { topic, watermark, activity } of committed ?? []) {
      numbers.push(text(topic), watermark, activity);
    }
    for (const { topic, partition, fromOffset, batches, stored, place } of runs) {
      numbers.push(text(topic), partition, fromOffset, batches.length, kindOf({ stored, place }));
      places(batches);
      const where = place ?? stored;
      if (where === undefined) continue;
      const { key, position, baseOffset, lastOffset } = where;
      numbers.push(text(key), position, baseOffset, lastOffset);
      numbers.push(place?.length ?? stored?.pieces.length ?? 0);
      places(stored?.pieces ?? []);
    }
  }
  return { numbers: new Float64Array(numbers), texts };
}

export function unflattenPublishes(
  flat: FlatPublishes,
  bytesAt: (place: SharedPlace) => Uint8Array,
): TaskPublish[] {
  const reader = new FlatReader(flat, bytesAt);
  const publishes: TaskPublish[] = [];
  while (!reader.isAtEnd) publishes.push(reader.publish());
  return publishes;
}

function kindOf({ stored, place }: { stored: Run["stored"]; place: Run["place"] }): number {
  if (place !== undefined) return storedKind.place;
  return stored === undefined ? storedKind.not : storedKind.pieces;
}

class FlatReader {
  readonly #numbers: Float64Array;
  readonly #texts: readonly string[];
  readonly #bytesAt: (place: SharedPlace) => Uint8Array;
  #at = 0;

  constructor({ numbers, texts }: FlatPublishes, bytesAt: (place: SharedPlace) => Uint8Array) {
    this.#numbers = numbers;
    this.#texts = texts;
    this.#bytesAt = bytesAt;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#numbers.length;
  }

  publish(): TaskPublish {
    const publishedAt = this.#next();
    const [createdCount, committedCount, runCount] = [this.#next(), this.#next(), this.#next()];
    const created = this.#list(createdCount, () => {
      return { topic: this.#text(), partition: this.#next() };
    });
    const committed = this.#list(committedCount - 1, () => {
      const [topic, watermark] = [this.#text(), this.#next()];
      return { topic, watermark, activity: this.#next() as Activity };
    });
    const runs = this.#list(runCount, () => this.#run());
    return { publishedAt, created, runs, ...(committedCount > 0 && { committed }) };
  }

  #run(): Run {
    const [topic, partition, fromOffset] = [this.#text(), this.#next(), this.#next()];
    const [batchCount, kind] = [this.#next(), this.#next()];
    const batches = this.#pieces(batchCount);
    const run = { topic, partition, fromOffset, batches };
    return kind === storedKind.not ? run : { ...run, ...this.#stored(kind) };
  }

  #stored(kind: number): Stored {
    const [key, position] = [this.#text(), this.#next()];
    const [baseOffset, lastOffset] = [this.#next(), this.#next()];
    const where = { key, position, baseOffset, lastOffset };
    const size = this.#next();
    if (kind === storedKind.place) return { place: { ...where, length: size } };
    return { stored: { ...where, pieces: this.#pieces(size) } };
  }

  #pieces(count: number): Uint8Array[] {
    return this.#list(count, () => this.#bytesAt([this.#next(), this.#next(), this.#next()]));
  }

  #list<T>(count: number, each: () => T): T[] {
    const list: T[] = [];
    while (list.length < count) list.push(each());
    return list;
  }

  #text(): string {
    return this.#texts[this.#next()] ?? "";
  }

  #next(): number {
    const value = this.#numbers[this.#at++];
    if (value === undefined) throw new Error("Broken invariant: a message is whole");
    return value;
  }
}
