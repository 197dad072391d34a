/** Publishes that a task takes in, some of which have only places of what is stored (ADR 57). */
import type { StoredPlace } from "../segment/stored-stretch.ts";
import type { TaskPublish } from "../sql/engine/query-task.ts";
import type { LocalTask } from "./local-task.ts";
import type { StretchReads } from "./stretch-reads.ts";

/** `reads`: made when something is to be read for the first time. */
export class PublishIntake {
  readonly #reads: () => StretchReads;

  constructor(reads: () => StretchReads) {
    this.#reads = reads;
  }

  /** What these have only places of is on its way from now on; they are taken in in this order. */
  announce(publishes: readonly TaskPublish[]): void {
    const places = publishes.map(placesOf).filter(({ length }) => length > 0);
    if (places.length > 0) this.#reads().expect(places);
  }

  /**
   * Hands on publishes that were announced, as they are there.
   * @throws what the task or a read failed with; nothing may be taken in any more.
   */
  async takeIn(publishes: readonly TaskPublish[], task: Pick<LocalTask, "take">): Promise<void> {
    for (const publish of publishes) {
      const places = placesOf(publish);
      if (places.length === 0) {
        task.take(publish);
        continue;
      }
      const reads = this.#reads();
      // To wait for what is here would cost a turn of the event loop.
      if (!reads.isHere(places)) await reads.arrival(places);
      const runs = publish.runs.map(({ place, ...run }) =>
        place === undefined ? run : { ...run, stored: reads.take(place) },
      );
      task.take({ ...publish, runs });
      for (const place of places) reads.give(place);
    }
  }
}

function placesOf({ runs }: TaskPublish): readonly StoredPlace[] {
  return runs.flatMap(({ place }) => (place === undefined ? [] : [place]));
}
