/** What SET has set: for a script, or for as long as a prompt is open. */
import { StreamError } from "../base/stream-error.ts";
import { durationMs } from "../sql/check/stream-options.ts";
import { isTimeZone } from "../sql/types/time-zone.ts";
import { type QuerySettings, querySettingsDefault } from "./query-definition.ts";

interface OptionRule {
  readonly accepts: (value: string) => boolean;
  readonly wanted: string;
  readonly defaultValue: string;
  readonly doc: string;
}

const isDuration = (value: string) => durationMs(value) !== null;
const duration = { accepts: isDuration, wanted: "a duration such as '5 s'" };

/** Flink's names where Flink has the option. */
export const sessionOptions: Readonly<Record<string, OptionRule>> = {
  "table.local-time-zone": {
    accepts: isTimeZone,
    wanted: "an IANA time zone such as 'Europe/Berlin', or an offset",
    defaultValue: "UTC",
    doc: "Time zone that TIMESTAMP_LTZ is shown in, and in which its windows begin.",
  },
  "execution.checkpointing.interval": {
    ...duration,
    defaultValue: `${querySettingsDefault.commitIntervalMs} ms`,
    doc: "Between commits of the queries that the session makes.",
  },
  "millrace.query.memory": {
    accepts: (value) => memoryBytesOf(value) !== null,
    wanted: "a size from 16 MB to 2 GB such as '256 MB'",
    defaultValue: "256 MB",
    doc: "Memory of a query that the session makes, its state included.",
  },
};

export class SqlSession {
  readonly #values = new Map<string, string>();

  /** @throws StreamError `sql_invalid` */
  set(key: string, value: string): void {
    const rule = this.#rule(key);
    if (!rule.accepts(value)) {
      const message = `Cannot set '${key}' to '${value}': expected ${rule.wanted}`;
      throw new StreamError("sql_invalid", message, { details: { option: key } });
    }
    this.#values.set(key, value);
  }

  /** Back to the default; all of them without a key. */
  reset(key: string | null): void {
    if (key === null) this.#values.clear();
    else if (this.#rule(key)) this.#values.delete(key);
  }

  get(key: string): string {
    return this.#values.get(key) ?? this.#rule(key).defaultValue;
  }

  get timeZone(): string {
    return this.get("table.local-time-zone");
  }

  /** For a query that is made now. */
  get querySettings(): QuerySettings {
    const commitIntervalMs = durationMs(this.get("execution.checkpointing.interval"));
    const memoryBytesMax = memoryBytesOf(this.get("millrace.query.memory"));
    return {
      ...querySettingsDefault,
      ...(commitIntervalMs !== null && { commitIntervalMs: Math.max(10, commitIntervalMs) }),
      ...(memoryBytesMax !== null && { memoryBytesMax }),
    };
  }

  #rule(key: string): OptionRule {
    const rule = Object.hasOwn(sessionOptions, key) ? sessionOptions[key] : undefined;
    if (rule !== undefined) return rule;
    const known = Object.keys(sessionOptions).join(", ");
    throw new StreamError("sql_invalid", `There is no option '${key}'; there are ${known}`);
  }
}

const units: Readonly<Record<string, number>> = { "": 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** Bytes of `256 MB`; null for what is no size in bounds. */
export function memoryBytesOf(text: string): number | null {
  const parts = /^(\d{1,12})\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const unit = units[parts?.[2] ?? "?"];
  if (parts === null || unit === undefined) return null;
  const bytes = Number(parts[1]) * unit;
  return bytes >= 16 * 1024 ** 2 && bytes <= 2 * 1024 ** 3 ? bytes : null;
}
