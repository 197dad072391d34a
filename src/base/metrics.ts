/**
 * Counters, gauges and histograms, printed in Prometheus' text format 0.0.4. Series are created on
 * first use; a family keeps at most `seriesMax` label sets and adds the rest up under
 * `overflow="true"`, so that a label from outside (a topic name) cannot grow memory for ever.
 */
export type Labels = Readonly<Record<string, string>>;

export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly seriesMax?: number;
}

const seriesMaxDefault = 256;

/** Upper bounds in seconds, from 0.25 ms to 10 s: what PUTs, publishes and requests take. */
const durationBuckets: readonly number[] = [
  0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export class Counter {
  value = 0;
  add(amount = 1): void {
    this.value += amount;
  }
}

export class Gauge {
  value = 0;
  set(value: number): void {
    this.value = value;
  }
}

export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[] = durationBuckets) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    for (let index = 0; index < this.bounds.length; index++) {
      if (value <= (this.bounds[index] ?? 0)) {
        this.counts[index] = (this.counts[index] ?? 0) + 1;
        return;
      }
    }
  }
}

type Metric = Counter | Gauge | Histogram;

class Family<M extends Metric> {
  readonly type: "counter" | "gauge" | "histogram";
  readonly options: FamilyOptions;
  readonly series = new Map<string, { labels: Labels; metric: M }>();
  readonly #make: () => M;

  constructor(type: "counter" | "gauge" | "histogram", options: FamilyOptions, make: () => M) {
    this.type = type;
    this.options = options;
    this.#make = make;
  }

  with(labels: Labels): M {
    const full = this.series.size >= (this.options.seriesMax ?? seriesMaxDefault);
    const key = labelText(labels);
    const known = this.series.get(key);
    if (known) return known.metric;
    if (full) return this.#insert("overflow", { overflow: "true" });
    return this.#insert(key, labels);
  }

  remove(labels: Labels): void {
    this.series.delete(labelText(labels));
  }

  #insert(key: string, labels: Labels): M {
    const known = this.series.get(key);
    if (known) return known.metric;
    const metric = this.#make();
    this.series.set(key, { labels, metric });
    return metric;
  }
}

export class Metrics {
  readonly #families = new Map<string, Family<Counter> | Family<Gauge> | Family<Histogram>>();
  readonly #collectors: (() => void)[] = [];

  counter(options: FamilyOptions, labels: Labels = {}): Counter {
    return this.#family("counter", options, () => new Counter()).with(labels);
  }

  gauge(options: FamilyOptions, labels: Labels = {}): Gauge {
    return this.#family("gauge", options, () => new Gauge()).with(labels);
  }

  histogram(options: FamilyOptions, labels: Labels = {}): Histogram {
    return this.#family("histogram", options, () => new Histogram()).with(labels);
  }

  /** Ends a series: what it told about is gone. */
  remove(options: FamilyOptions, labels: Labels): void {
    this.#families.get(options.name)?.remove(labels);
  }

  /** Runs `collect` before each print: for gauges that are read rather than counted. */
  beforePrint(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** The exposition text, families in order of creation. */
  print(): string {
    for (const collect of this.#collectors) collect();
    const lines: string[] = [];
    for (const family of this.#families.values()) {
      const { name, help } = family.options;
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${family.type}`);
      for (const { labels, metric } of family.series.values()) {
        if (metric instanceof Histogram) printHistogram(lines, name, labels, metric);
        else lines.push(`${name}${labelText(labels)} ${metric.value}`);
      }
    }
    return `${lines.join("\n")}\n`;
  }

  #family<M extends Metric>(
    type: "counter" | "gauge" | "histogram",
    options: FamilyOptions,
    make: () => M,
  ): Family<M> {
    const known = this.#families.get(options.name);
    if (known) {
      if (known.type !== type) throw new Error(`Metric ${options.name} is a ${known.type}`);
      return known as unknown as Family<M>;
    }
    const family = new Family<M>(type, options, make);
    this.#families.set(options.name, family as unknown as Family<Counter>);
    return family;
  }
}

function printHistogram(lines: string[], name: string, labels: Labels, metric: Histogram): void {
  let below = 0;
  for (let index = 0; index < metric.bounds.length; index++) {
    below += metric.counts[index] ?? 0;
    const bucket = labelText({ ...labels, le: String(metric.bounds[index]) });
    lines.push(`${name}_bucket${bucket} ${below}`);
  }
  lines.push(`${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${metric.count}`);
  lines.push(`${name}_sum${labelText(labels)} ${metric.sum}`);
  lines.push(`${name}_count${labelText(labels)} ${metric.count}`);
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
