/**
 * Plans as JSON text: for the catalog, for another thread, and as a key by which equal parts of a
 * plan are found. 64-bit integers and bytes, which JSON has no form for, are `{"$int":"1"}` and
 * `{"$bytes":"…base64…"}`; an object of a plan never has such a member of its own.
 */
import type { QueryPlan } from "./plan.ts";

export function planToText(plan: unknown): string {
  return objectToText(plan);
}

/** The plan that `planToText` wrote. */
export function planFromText(text: string): QueryPlan {
  return objectFromText(text) as QueryPlan;
}

/** Anything that is made of what plans are made of. */
export function objectToText(object: unknown): string {
  return JSON.stringify(object, (_, value: unknown) => {
    if (typeof value === "bigint") return { $int: String(value) };
    if (value instanceof Uint8Array) return { $bytes: value.toBase64() };
    return value;
  });
}

export function objectFromText(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if ("$int" in value) return BigInt(String(value.$int));
    if ("$bytes" in value) return Uint8Array.fromBase64(String(value.$bytes));
    return value;
  });
}
