/**
 * Events that come late: with some probability an event is held back for up to so many events, and
 * comes behind those that were made meanwhile. Its event time stays what it is.
 */
import { NexmarkGenerator, type NexmarkOptions } from "./generator.ts";
import { SeededRandom } from "./random.ts";

export interface DelayedOptions extends NexmarkOptions {
  /** Share of events that are held back; 0: none. */
  readonly delayProbability: number;
  /** Held back for at most this, in event time. */
  readonly delayMsMax: number;
}

export interface NexmarkEvent {
  /** JSON; valid until the next event. */
  readonly json: Uint8Array;
  readonly eventTimeMs: number;
}

/** `count` events in the order in which they arrive. */
export function* nexmarkEvents(
  options: NexmarkOptions & Partial<DelayedOptions>,
  count: number,
): Generator<NexmarkEvent, void, undefined> {
  const { delayProbability = 0, delayMsMax = 3000 } = options;
  const generator = new NexmarkGenerator(options);
  // Numbers of its own: the events are the same, delayed or not.
  const random = new SeededRandom(~options.seed);
  const eventsMax = Math.ceil((delayMsMax * generator.rules.eventsPerSecond) / 1000);
  const held = new Map<number, NexmarkEvent[]>();
  for (let index = 0; index < count; index++) {
    const due = held.get(index);
    if (due !== undefined) {
      held.delete(index);
      yield* due;
    }
    const event = { json: generator.next(), eventTimeMs: generator.eventTimeMs };
    if (delayProbability > 0 && random.fraction() < delayProbability) {
      const until = index + 1 + random.below(eventsMax);
      const others = held.get(until) ?? [];
      held.set(until, [...others, { ...event, json: event.json.slice() }]);
    } else yield event;
  }
  // What is still held at the end comes in its order.
  for (const until of [...held.keys()].sort((a, b) => a - b)) yield* held.get(until) ?? [];
}
