/** Checks what came in from outside by its zod shape. */
import type * as z from "zod";
import { StreamError } from "../../base/stream-error.ts";

/**
 * The value as its shape reads it. `where` names it in messages: `query`, `body`.
 * @throws StreamError `invalid_request` with the first `field` at fault and what was `expected`.
 */
export function checkShape<S extends z.ZodType>(
  shape: S,
  value: unknown,
  where: string,
): z.output<S> {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const isUnknown = issue?.code === "unrecognized_keys";
  const path = [...(issue?.path ?? []), ...(isUnknown ? issue.keys.slice(0, 1) : [])];
  const field = path.length === 0 ? where : fieldPath(path);
  const expected = isUnknown ? "no such field" : expectation(issue);
  throw new StreamError("invalid_request", `Cannot take the ${where}: ${field}: ${expected}`, {
    details: { field, expected },
  });
}

/** The query of a request as its shape reads it. */
export function checkQuery<S extends z.ZodType>(shape: S, url: string): z.output<S> {
  const start = url.indexOf("?");
  const text = start === -1 ? "" : url.slice(start + 1);
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(query, name)) {
      throw new StreamError("invalid_request", `Cannot take the query: ${name} is there twice`, {
        details: { field: name, expected: "the parameter once" },
      });
    }
    query[name] = value;
  }
  return checkShape(shape, query, "query");
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    .join("");
}

/** zod says `Invalid input: expected number, received string`; what was expected is enough. */
function expectation(issue: z.core.$ZodIssue | undefined): string {
  const message = issue?.message ?? "something else";
  return message.replace(/^Invalid input: expected /, "").replace(/, received .*$/, "");
}
