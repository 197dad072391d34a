/**
 * What goes wrong, as clients see it: an RFC 9457 problem document with a stable `code`. The codes
 * are those of the log, and a few that only HTTP itself can bring about.
 */
import * as z from "zod";
import { type ErrorCode, errorKinds } from "../../base/stream-error.ts";

export const httpOnlyCodes = [
  "internal",
  "method_not_allowed",
  "not_acceptable",
  "route_unknown",
  "upgrade_required",
] as const;

export type ProblemCode = ErrorCode | (typeof httpOnlyCodes)[number];

export const problemMediaType = "application/problem+json";

/** Every code, sorted. */
export const problemCodes: readonly ProblemCode[] = [
  ...(Object.keys(errorKinds) as ErrorCode[]),
  ...httpOnlyCodes,
].sort();

export const problem = z
  .looseObject({
    title: z.string().describe("The meaning of the status in words."),
    status: z.int().describe("The HTTP status, repeated."),
    detail: z.string().describe("What was tried, what is so, and what to do about it."),
    code: z.string().describe("Stable and made for programs; the table in HTTP.md lists all."),
    retriable: z.boolean().describe("The same request may succeed later."),
    field: z.string().optional().describe("The parameter, header or property at fault."),
    expected: z.string().optional().describe("What was expected there."),
  })
  .meta({
    id: "Problem",
    description: "RFC 9457 problem document; further members are facts by name.",
  });

export type Problem = z.infer<typeof problem>;
