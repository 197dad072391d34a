/**
 * Publish as plain TypeScript: the rules of DESIGN's "Sequences" and "Publish groups" over maps,
 * written without regard to how the statements do it.
 */
import type { ErrorCode } from "../../../src/base/stream-error.ts";
import type {
  AppendedRange,
  DuplicateBatch,
  EntryReceipt,
  GroupReceipt,
  PublishEntry,
  PublishRequest,
} from "../../../src/meta/publish-request.ts";

interface ProducerState {
  readonly epoch: number;
  readonly last: number;
  /** Newest last. */
  readonly batches: readonly { first: number; last: number; offset: number }[];
}

interface HttpState {
  readonly epoch: number;
  readonly last: number;
  readonly answers: ReadonlyMap<number, readonly AppendedRange[]>;
}

interface Judged {
  code: "ok" | ErrorCode;
  appends: boolean;
  skipped: number;
  duplicates: DuplicateBatch[];
}

export interface ModelReceipt {
  readonly entries: readonly EntryReceipt[];
  readonly groups: readonly GroupReceipt[];
}

const next = (sequence: number) => (sequence === 2_147_483_647 ? 0 : sequence + 1);

/** How far `a` lies after `b` on the circle of sequences; negative: before. */
function distance(a: number, b: number): number {
  const forward = (a - b + 2 ** 31) % 2 ** 31;
  return forward >= 2 ** 30 ? forward - 2 ** 31 : forward;
}

export class PublishModel {
  readonly #ends = new Map<string, number>();
  readonly #producers = new Map<string, ProducerState>();
  readonly #http = new Map<string, HttpState>();
  readonly #receipts = new Map<string, ModelReceipt>();
  readonly #lastSequence = new Map<number, number>();

  /** Declares a partition; others are unknown. */
  addPartition(topicNumber: number, partition: number): void {
    this.#ends.set(`${topicNumber}/${partition}`, 0);
  }

  /** Null: the worker is fenced. */
  publish(request: PublishRequest): ModelReceipt | null {
    const id = `${request.workerEpoch}/${request.sequence}`;
    const stored = this.#receipts.get(id);
    if (stored !== undefined) return stored;
    if (request.sequence <= (this.#lastSequence.get(request.workerEpoch) ?? -1)) return null;
    this.#lastSequence.set(request.workerEpoch, request.sequence);
    const judged = request.entries.map((entry) => this.#judge(entry));
    const groups = request.groups.map((_, index) => this.#judgeGroup(request, judged, index));
    const entries = request.entries.map((entry, index): EntryReceipt => {
      const verdict = judged[index];
      if (verdict === undefined) throw new Error("no verdict");
      const group = groups[entry.group];
      const aside = { ...verdict, appends: false, skipped: 0 };
      if (group?.repeated) return this.#receipt(entry, { ...aside, code: "ok" });
      if (group !== undefined && group.code !== "ok") {
        const code = verdict.code === "ok" ? group.code : verdict.code;
        return this.#receipt(entry, { ...aside, code });
      }
      return this.#receipt(entry, verdict);
    });
    this.#remember(request, groups, entries);
    const receipt = { entries, groups };
    this.#receipts.set(id, receipt);
    return receipt;
  }

  #judge(entry: PublishEntry): Judged {
    const none = { appends: false, skipped: 0, duplicates: [] };
    const place = `${entry.topicNumber}/${entry.partition}`;
    if (!this.#ends.has(place)) return { code: "partition_unknown", ...none };
    const { producer } = entry;
    const appended: Judged = { code: "ok", ...none, appends: true };
    if (producer === null) return appended;
    const state = this.#producers.get(`${place}/${producer.id}`);
    if (state === undefined) return appended;
    if (producer.epoch < state.epoch) return { code: "producer_fenced", ...none };
    if (producer.epoch > state.epoch) {
      return producer.firstSequence === 0 ? appended : { code: "sequence_out_of_order", ...none };
    }
    if (producer.firstSequence === next(state.last)) return appended;
    let first = producer.firstSequence;
    const duplicates: DuplicateBatch[] = [];
    let [skipped, meets] = [0, false];
    for (const [last, countSoFar] of producer.batches) {
      if (distance(last, state.last) > 0) break;
      const known = state.batches.find((batch) => batch.first === first && batch.last === last);
      duplicates.push([last, known?.offset ?? -1]);
      skipped = countSoFar;
      meets = last === state.last;
      first = next(last);
    }
    if (duplicates.length === producer.batches.length) {
      const isKnown = duplicates.some(([, offset]) => offset >= 0);
      if (!isKnown) return { code: "sequence_duplicate", appends: false, skipped: 0, duplicates };
      return { code: "ok", appends: false, skipped, duplicates };
    }
    if (meets) return { code: "ok", appends: true, skipped, duplicates };
    return { code: "sequence_out_of_order", appends: false, skipped: 0, duplicates };
  }

  #judgeGroup(request: PublishRequest, judged: readonly Judged[], index: number): GroupReceipt {
    const none = { repeated: null, expectedSequence: null };
    for (const effect of request.groups[index]?.effects ?? []) {
      if (effect.kind !== "httpProducer") continue;
      const state = this.#http.get(`${effect.topicNumber}/${effect.name}`);
      if (state === undefined) continue;
      if (effect.epoch < state.epoch) return { code: "producer_fenced", ...none };
      const expected = effect.epoch > state.epoch ? 0 : state.last + 1;
      if (effect.sequence === expected) continue;
      if (effect.sequence > expected) {
        return { code: "sequence_out_of_order", repeated: null, expectedSequence: expected };
      }
      const repeated = state.answers.get(effect.sequence);
      if (repeated === undefined) return { code: "sequence_duplicate", ...none };
      return { code: "ok", repeated, expectedSequence: null };
    }
    const fault = judged.find(
      (verdict, entry) => request.entries[entry]?.group === index && verdict.code !== "ok",
    );
    return { code: fault?.code ?? "ok", ...none };
  }

  #receipt(entry: PublishEntry, verdict: Judged): EntryReceipt {
    const place = `${entry.topicNumber}/${entry.partition}`;
    const end = this.#ends.get(place);
    const { code, skipped, duplicates, appends } = verdict;
    const known = duplicates.map(([, offset]) => offset).filter((offset) => offset >= 0);
    const appendedCount = appends ? entry.recordCount - skipped : 0;
    const baseOffset = appends ? (end ?? -1) : (known[0] ?? -1);
    if (appends && end !== undefined) {
      this.#ends.set(place, end + appendedCount);
      this.#advance(entry, { base: end, skipped });
    }
    const epochs = end === undefined ? [-1, -1] : [0, 0];
    const [leaderEpoch = -1, logStartOffset = -1] = epochs;
    return {
      ...{ code, baseOffset, leaderEpoch, logStartOffset, appendedCount },
      ...{ skippedCount: skipped, duplicates },
    };
  }

  #advance(entry: PublishEntry, { base, skipped }: { base: number; skipped: number }): void {
    const { producer } = entry;
    if (producer === null) return;
    const id = `${entry.topicNumber}/${entry.partition}/${producer.id}`;
    const before = this.#producers.get(id);
    const batches = before?.epoch === producer.epoch ? [...before.batches] : [];
    let [first, countBefore] = [producer.firstSequence, 0];
    for (const [last, countSoFar] of producer.batches) {
      if (countSoFar > skipped) batches.push({ first, last, offset: base + countBefore - skipped });
      first = next(last);
      countBefore = countSoFar;
    }
    const state = { epoch: producer.epoch, last: producer.lastSequence };
    this.#producers.set(id, { ...state, batches: batches.slice(-5) });
  }

  #remember(
    request: PublishRequest,
    groups: readonly GroupReceipt[],
    entries: readonly EntryReceipt[],
  ): void {
    for (const [index, group] of request.groups.entries()) {
      if (groups[index]?.code !== "ok" || groups[index].repeated !== null) continue;
      for (const effect of group.effects) {
        if (effect.kind !== "httpProducer") continue;
        const id = `${effect.topicNumber}/${effect.name}`;
        const before = this.#http.get(id);
        const kept = before?.epoch === effect.epoch ? [...before.answers] : [];
        const answer = request.entries.flatMap((entry, place) => {
          const receipt = entries[place];
          if (entry.group !== index || receipt === undefined) return [];
          const { baseOffset, appendedCount: count } = receipt;
          return [{ partition: entry.partition, baseOffset, count }];
        });
        const answers = new Map([...kept, [effect.sequence, answer] as const].slice(-5));
        this.#http.set(id, { epoch: effect.epoch, last: effect.sequence, answers });
      }
    }
  }
}
