/** Kinds of option values that only the client's commands take. */
import * as z from "zod";
import { option } from "../runtime/node/option-kinds.ts";

const configLine = /^[a-zA-Z0-9._-]+=/;

const configSchema: z.ZodType<Readonly<Record<string, string>>, string> = z
  .string()
  .refine((lines) => lines.split("\n").every((line) => configLine.test(line)))
  .transform((lines) =>
    Object.fromEntries(
      lines.split("\n").map((line) => {
        const equals = line.indexOf("=");
        return [line.slice(0, equals), line.slice(equals + 1)];
      }),
    ),
  );

/** `--config retention.ms=3600000`, as often as wanted. */
export const configOption = {
  ...option("NAME=VALUE", "NAME=VALUE such as retention.ms=3600000", configSchema, {
    doc: "a topic setting by Kafka's name; may be repeated",
  }),
  repeated: true,
} as const;

/** Milliseconds of the units in `90s`, `15m`, `2h`, `1d`. */
const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `30d`, `12h`, `90s`: milliseconds; undefined when it is none. */
function parseDuration(given: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(given) ?? [];
  return count === undefined ? undefined : Number(count) * (unitMs[unit] ?? 0);
}

/**
 * A moment: milliseconds since 1970, an ISO 8601 text, or so long ago (`15m`). Undefined when it is
 * none of these.
 */
function parseMoment(given: string, now: number): number | undefined {
  if (/^\d{10,15}$/.test(given)) return Number(given);
  const ago = parseDuration(given);
  if (ago !== undefined) return Math.max(0, now - ago);
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(given)) {
    return undefined;
  }
  const parsed = Date.parse(given);
  return Number.isNaN(parsed) ? undefined : parsed;
}

export const momentAllowed =
  "a time such as 2026-05-01T12:00:00Z, 15m (ago) or milliseconds since 1970";

export const momentSchema: z.ZodType<number, string> = z.string().transform((given, context) => {
  const moment = parseMoment(given, Date.now());
  return moment ?? refused(context, "no time");
});

function refused(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}

const linesSchema: z.ZodType<readonly string[], string> = z
  .string()
  .transform((lines) => lines.split(/[\n,]/).map((line) => line.trim()))
  .refine((lines) => lines.every((line) => line !== ""));

/** An option that may be given several times, or with commas between its values. */
export function listOption(value: string, doc: string) {
  const allowed = `one or more ${value}, separated by commas`;
  return { ...option(value, allowed, linesSchema, { doc }), repeated: true } as const;
}

export const durationSchema: z.ZodType<number, string> = z
  .string()
  .transform((given, context) => parseDuration(given) ?? refused(context, "no duration"));

/** `100/s`, `2.5/m`, `1000/h`: how many a second. */
export const rateSchema: z.ZodType<number, string> = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,6})?\/[smhd]$/)
  .transform((given) => {
    const [count = "", unit = ""] = given.split("/");
    return (Number(count) * 1000) / (unitMs[unit] ?? 1);
  });
