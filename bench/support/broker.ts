/** Whoever takes the load: a worker of ours, or a Kafka broker that it is compared with. */
export interface Broker {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Undefined when it runs elsewhere. */
  readonly pid: number | undefined;
  /** Starts its process again, so that what it held in memory is gone; false when it cannot. */
  restart(): Promise<boolean>;
  /** Ends what the benchmark has started. */
  stop(): Promise<void>;
}
