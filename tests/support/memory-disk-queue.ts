import type { LanePlace, LaneStore } from "../../src/client/lane.ts";
import type { LeftLane } from "../../src/client/producer.ts";

/** What a browser's disk does, for pages that come one after another. */
export class MemoryDisk {
  readonly lanes = new Map<string, { place: LanePlace; records: Map<string, string> }>();

  queue(isLive: () => boolean) {
    return {
      open: async (_: string, producerId: string) => {
        const left = [...this.lanes].map(
          ([id, lane]): LeftLane => ({
            place: lane.place,
            store: this.#store(id, isLive),
            batches: batchesOf(lane.records),
          }),
        );
        return { own: this.#store(producerId, isLive), left };
      },
    };
  }

  #store(id: string, isLive: () => boolean): LaneStore {
    const lane = () => {
      const found = this.lanes.get(id) ?? {
        place: { producerId: id, producerEpoch: 0, base: 0 },
        records: new Map<string, string>(),
      };
      this.lanes.set(id, found);
      return found;
    };
    return {
      add: async (batch, index, text) => {
        if (isLive()) lane().records.set(`${batch}/${index}`, text);
      },
      settle: async (batch, end, place) => {
        if (!isLive()) return;
        const { records } = lane();
        for (const key of records.keys()) {
          const [number, index] = key.split("/").map(Number);
          if (number === batch && (index ?? 0) < end) records.delete(key);
        }
        lane().place = place;
      },
      forget: async () => void this.lanes.delete(id),
    };
  }
}

function batchesOf(records: ReadonlyMap<string, string>): LeftLane["batches"] {
  const batches = new Map<number, { number: number; done: number; texts: string[] }>();
  for (const [key, text] of records) {
    const [number = 0, index = 0] = key.split("/").map(Number);
    const batch = batches.get(number) ?? { number, done: index, texts: [] };
    batch.texts.push(text);
    batches.set(number, batch);
  }
  return [...batches.values()];
}
