/**
 * The reference in docs/HTTP.md: routes, their parameters and the codes of problems, from the route
 * table and the error map.
 */
import * as z from "zod";
import { statusByCode } from "../../server/http/error-map.ts";
import { httpOnlyCodes, type ProblemCode, problemCodes } from "../../wire/http/problem.ts";
import { type RouteSpec, routes } from "../../wire/http/routes.ts";
import { codeSpan, markdownTable, withBlock } from "./page-block.ts";

const httpOnlyStatus: Readonly<Record<(typeof httpOnlyCodes)[number], number>> = {
  internal: 500,
  method_not_allowed: 405,
  not_acceptable: 406,
  route_unknown: 404,
  upgrade_required: 426,
};

/** `page` (docs/HTTP.md) with the reference made anew. */
export function withHttpReference(page: string): string {
  const source = "src/wire/http/routes.ts";
  return withBlock(page, { name: "reference", source, markdown: httpReference() });
}

/** The reference as Markdown. */
function httpReference(): string {
  const specs = Object.values(routes) as RouteSpec[];
  const parts = [
    markdownTable(
      ["route", "what it does", "takes", "gives"],
      specs.map((spec) => [
        `\`${spec.method} ${spec.path.replaceAll(/:(\w+)/g, "{$1}")}\``,
        sentences(spec.summary, spec.details),
        Object.keys(spec.body ?? {})
          .map(codeSpan)
          .join("<br>"),
        [String(spec.answer.status), ...Object.keys(spec.answer.content ?? {}).map(codeSpan)].join(
          "<br>",
        ),
      ]),
    ),
    ...specs.flatMap(parameterParts),
    "### Codes of problems",
    markdownTable(
      ["code", "status"],
      problemCodes.map((each) => [codeSpan(each), String(statusOf(each))]),
    ),
  ];
  return parts.join("\n\n");
}

function parameterParts(spec: RouteSpec): string[] {
  const rows = [...parameterRows(spec.query, "query"), ...parameterRows(spec.headers, "header")];
  if (rows.length === 0) return [];
  return [`### ${spec.summary}`, markdownTable(["parameter", "in", "default", "meaning"], rows)];
}

function parameterRows(shape: z.ZodObject | undefined, place: string): string[][] {
  if (shape === undefined) return [];
  const { properties = {} } = z.toJSONSchema(shape, { io: "output" });
  return Object.entries(properties).map(([name, property]) => {
    const {
      description = "",
      default: fallback,
      minimum,
      maximum,
      enum: allowed,
    } = property as z.core.JSONSchema.Schema;
    const range = maximum === undefined ? "" : ` ${minimum} to ${maximum}.`;
    const values =
      allowed === undefined ? "" : ` One of ${allowed.map(String).map(codeSpan).join(", ")}.`;
    const shown = fallback === undefined ? "" : codeSpan(String(fallback));
    return [codeSpan(name), place, shown, description + range + values];
  });
}

function statusOf(each: ProblemCode): number {
  const isHttpOnly = (httpOnlyCodes as readonly string[]).includes(each);
  return isHttpOnly
    ? httpOnlyStatus[each as keyof typeof httpOnlyStatus]
    : statusByCode[each as keyof typeof statusByCode];
}

function sentences(summary: string, details: string | undefined): string {
  const first = /[.?!]$/.test(summary) ? summary : `${summary}.`;
  return details === undefined ? first : `${first} ${details}`;
}
