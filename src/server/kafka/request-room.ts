import { ByteBudget } from "../../base/byte-budget.ts";
import type { TimerHandle } from "../../base/platform.ts";
import type { KafkaContext } from "./context.ts";
import { connectionBytesInFlightMax, frameArrivalMsMax } from "./limits.ts";

interface Reservation {
  readonly bytes: number;
  readonly waitedMs: number;
  readonly timer: TimerHandle;
}

/**
 * Room for one connection's requests: bytes of its own budget and of the server's, always taken and
 * given together. A wait for room ends by the work of others, not by the peer: it needs no signal.
 */
export class RequestRoom {
  readonly #context: Pick<KafkaContext, "requestBudget" | "platform" | "metrics">;
  readonly #own = new ByteBudget(connectionBytesInFlightMax);
  #reservation: Reservation | undefined;

  constructor(context: Pick<KafkaContext, "requestBudget" | "platform" | "metrics">) {
    this.#context = context;
  }

  /** Takes `bytes`, however long that takes; returns for how many milliseconds it waited. */
  async take(bytes: number): Promise<number> {
    const { requestBudget, platform, metrics } = this.#context;
    const own = this.#own.tryTake(bytes);
    if (own && requestBudget.tryTake(bytes)) return 0;
    metrics.throttled.add();
    const since = platform.clock.monotonic();
    if (!own) await this.#own.take(bytes);
    await requestBudget.take(bytes);
    return Math.ceil(platform.clock.monotonic() - since);
  }

  give(bytes: number): void {
    this.#own.give(bytes);
    this.#context.requestBudget.give(bytes);
  }

  get isReserved(): boolean {
    return this.#reservation !== undefined;
  }

  /** Takes room for the frame that has begun; `late` is called unless it is whole in time. */
  async reserve(bytes: number, late: () => void): Promise<void> {
    const waitedMs = await this.take(bytes);
    const timer = this.#context.platform.timers.after(frameArrivalMsMax, late);
    this.#reservation = { bytes, waitedMs, timer };
  }

  /** The frame is whole: its room is the caller's. Gives how long that was waited for, if any. */
  useReservation(): number | undefined {
    const reservation = this.#reservation;
    reservation?.timer.cancel();
    this.#reservation = undefined;
    return reservation?.waitedMs;
  }

  /** The frame will never be whole. */
  dropReservation(): void {
    const reservation = this.#reservation;
    this.useReservation();
    if (reservation !== undefined) this.give(reservation.bytes);
  }
}
