/**
 * How whoever runs a query beside other work lets it work and rest. Without one a run takes steps
 * as fast as its task does, and looks for news once a second.
 */
export interface QueryPace {
  /** Bytes of publishes that the next step is given. */
  readonly sliceBytes: number;
  /** Resolves when there may be a next step, or when `signal` aborts. */
  turn(signal: AbortSignal): Promise<void>;
  /** Takes a step, which meets so many bytes of publishes; resolves when others had their turn. */
  step<T>(work: () => Promise<T>, bytes: number): Promise<T>;
  /**
   * The run has nothing to do for `waitMs`, or with +∞ until something is published. Gives how long
   * it may wait by a timer of its own; +∞: it is woken from outside by then.
   */
  rest(waitMs: number): number;
}
