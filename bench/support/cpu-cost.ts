/**
 * Processor time that a broker spends on a load. On a busy machine rates say as much about the
 * neighbours as about the broker; this hardly depends on them.
 */
import type { Broker } from "./broker.ts";
import type { Figure } from "./figures.ts";
import { cpuSeconds } from "./processes.ts";
import { median, ratios } from "./statistics.ts";

export class CpuCost {
  readonly #brokers: readonly Broker[];
  /** Seconds per gigabyte, by broker, then by round. */
  readonly #costs: readonly number[][];

  constructor(brokers: readonly Broker[]) {
    this.#brokers = brokers;
    this.#costs = brokers.map(() => []);
  }

  /** Runs `load`, which resolves to the bytes that it moved. */
  async during<T extends { readonly bytes: number }>(
    broker: Broker,
    load: () => Promise<T>,
  ): Promise<T> {
    const { pid } = broker;
    const before = pid === undefined ? Number.NaN : await cpuSeconds(pid);
    const result = await load();
    const after = pid === undefined ? Number.NaN : await cpuSeconds(pid);
    const cost = ((after - before) * 1e9) / result.bytes;
    this.#costs[this.#brokers.indexOf(broker)]?.push(cost);
    return result;
  }

  /** A figure per broker, and the ratio of ours to each other one. */
  figures(what: string): Figure[] {
    const [own = []] = this.#costs;
    const unit = "CPU s/GB";
    return this.#brokers.flatMap(({ name }, index): Figure[] => {
      const costs = this.#costs[index] ?? [];
      const value = median(costs);
      if (Number.isNaN(value)) return [];
      const figure = { what: `${what}: ${name}`, value, unit };
      if (index === 0) return [figure];
      const ratio = median(ratios(own, costs));
      return [figure, { what: `${what}: Millrace to ${name}`, value: ratio, unit: "× CPU" }];
    });
  }
}
