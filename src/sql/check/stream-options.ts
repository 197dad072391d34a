/** WITH (…) of streams and materialized views: names, values, and what they mean. */
import type { StartupMode } from "../plan/plan.ts";
import type { TableOption } from "../syntax/statement.ts";
import type { CheckContext } from "./context.ts";

interface OptionRule {
  readonly accepts: (value: string) => boolean;
  readonly wanted: string;
  readonly doc: string;
}

const isCount = (value: string) => /^[1-9]\d{0,8}$/.test(value);
const isBoolean = (value: string) => value === "true" || value === "false";

/** `5 s`, `1 min`, `200 ms`, `1 h`, `1 d`; a number alone is milliseconds, as in Flink. */
export function durationMs(text: string): number | null {
  const parts = /^(\d{1,12})\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const unit = unitsMs[parts?.[2] ?? "?"];
  return parts === null || unit === undefined ? null : Number(parts[1]) * unit;
}

const unitsMs: Readonly<Record<string, number>> = {
  "": 1,
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
};

const duration: Pick<OptionRule, "accepts" | "wanted"> = {
  accepts: (value) => durationMs(value) !== null,
  wanted: "a length of time: '5 s', '1 min'",
};

export const streamOptions: Readonly<Record<string, OptionRule>> = {
  topic: {
    accepts: (value) => /^[\w.-]{1,249}$/.test(value),
    wanted: "a topic's name",
    doc: "The topic; without it the stream's own name.",
  },
  format: {
    accepts: (value) => value === "json" || value === "raw",
    wanted: "'json' or 'raw'",
    doc: "How values are read: `json` (default) or `raw`, one column with the whole value.",
  },
  partitions: {
    accepts: isCount,
    wanted: "a number from 1 on",
    doc: "Makes the topic with so many partitions where it does not exist; that of a view: `1`.",
  },
  "scan.startup.mode": {
    accepts: (value) => ["earliest", "latest", "timestamp", "group-offsets"].includes(value),
    wanted: "'earliest', 'latest', 'timestamp' or 'group-offsets'",
    doc: "Where queries begin to read; `earliest` by default.",
  },
  "scan.startup.timestamp-millis": {
    accepts: (value) => /^\d{1,15}$/.test(value),
    wanted: "milliseconds since 1970",
    doc: "For the mode `timestamp`.",
  },
  "properties.group.id": {
    accepts: (value) => value.length > 0,
    wanted: "a consumer group's name",
    doc: "For the mode `group-offsets`.",
  },
  "idle-timeout": {
    ...duration,
    doc: "A partition without records for so long does not hold the watermark; `5 s`, `0`: never.",
  },
  "quiet-timeout": {
    ...duration,
    doc: "After this long without any record the watermark moves on by the clock; `60 s`.",
  },
  "future-limit": {
    ...duration,
    doc: "Event times further ahead of their publishing do not move the watermark; `1 h`.",
  },
  "on-error": {
    accepts: (value) => value === "skip" || value === "stop",
    wanted: "'skip' or 'stop'",
    doc: "Whether rows that are wrong go to the errors topic (`skip`) or stop the query.",
  },
  "on-late": {
    accepts: (value) => value === "skip" || value === "stop",
    wanted: "'skip' or 'stop'",
    doc: "Whether late rows go to the late topic (`skip`) or stop the query.",
  },
  "commit-interval": { ...duration, doc: "How often a query commits; `1 s`." },
  "state-memory": {
    accepts: (value) => /^\d{1,9}\s*(kb|mb|gb)?$/i.test(value),
    wanted: "a size: '256 mb'",
    doc: "Memory of a query before its state goes to disk.",
  },
  "json.ignore-parse-errors": {
    accepts: isBoolean,
    wanted: "'true' or 'false'",
    doc: "Flink's: accepted; wrong records go to the errors topic either way.",
  },
};

/** The options by name; the first that is unknown, given twice or wrong is an error there. */
export function checkOptions(
  context: CheckContext,
  options: readonly TableOption[],
): Readonly<Record<string, string>> {
  const checked: Record<string, string> = {};
  for (const { key, value } of options) {
    const rule = Object.hasOwn(streamOptions, key.value) ? streamOptions[key.value] : undefined;
    if (rule === undefined) {
      const problem = `there is no option '${key.value}'`;
      return context.failUnknown(key, problem, key.value, Object.keys(streamOptions));
    }
    if (Object.hasOwn(checked, key.value)) {
      return context.fail(key, `option '${key.value}' is given twice`);
    }
    if (!rule.accepts(value.value)) {
      return context.fail(value, `'${key.value}' takes ${rule.wanted}, not '${value.value}'`);
    }
    checked[key.value] = value.value;
  }
  return checked;
}

export function startupOf(
  context: CheckContext,
  options: Readonly<Record<string, string>>,
  given: readonly TableOption[],
): StartupMode {
  const at = given.find(({ key }) => key.value === "scan.startup.mode");
  switch (options["scan.startup.mode"]) {
    case "latest":
      return { mode: "latest" };
    case "group-offsets": {
      const group = options["properties.group.id"];
      if (group !== undefined) return { mode: "group-offsets", group };
      return context.fail(at ?? noPlace, "'group-offsets' needs 'properties.group.id'");
    }
    case "timestamp": {
      const timestamp = options["scan.startup.timestamp-millis"];
      if (timestamp !== undefined) return { mode: "timestamp", timestampMs: Number(timestamp) };
      return context.fail(at ?? noPlace, "'timestamp' needs 'scan.startup.timestamp-millis'");
    }
    default:
      return { mode: "earliest" };
  }
}

const noPlace = { at: { start: 0, end: 0 } };

export const idleTimeoutDefaultMs = 5000;
