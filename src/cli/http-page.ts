/**
 * The reference in docs/HTTP.md: routes, their parameters and the codes of problems, from the route
 * table and the error map. It lies between two marks there; `npm run docs` writes it anew, and a
 * test compares.
 */
import * as z from "zod";
import { statusByCode } from "../server/http/error-map.ts";
import { httpOnlyCodes, type ProblemCode, problemCodes } from "../wire/http/problem.ts";
import { type RouteSpec, routes } from "../wire/http/routes.ts";

const begin = "<!-- reference: made by `npm run docs` from src/wire/http/routes.ts -->";
const end = "<!-- /reference -->";

const httpOnlyStatus: Readonly<Record<(typeof httpOnlyCodes)[number], number>> = {
  internal: 500,
  method_not_allowed: 405,
  not_acceptable: 406,
  route_unknown: 404,
};

/** `page` with the block between the marks made anew. */
export function withHttpReference(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`The page lacks the marks ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${httpReference()}\n\n${page.slice(to)}`;
}

/** The reference as Markdown. */
export function httpReference(): string {
  const specs = Object.values(routes) as RouteSpec[];
  const parts = [
    table(
      ["route", "what it does", "takes", "gives"],
      specs.map((spec) => [
        `\`${spec.method} ${spec.path.replaceAll(/:(\w+)/g, "{$1}")}\``,
        sentences(spec.summary, spec.details),
        Object.keys(spec.body ?? {})
          .map(code)
          .join("<br>"),
        [String(spec.answer.status), ...Object.keys(spec.answer.content ?? {}).map(code)].join(
          "<br>",
        ),
      ]),
    ),
    ...specs.flatMap(parameterParts),
    "### Codes of problems",
    table(
      ["code", "status"],
      problemCodes.map((each) => [code(each), String(statusOf(each))]),
    ),
  ];
  return parts.join("\n\n");
}

function parameterParts(spec: RouteSpec): string[] {
  const rows = [...parameterRows(spec.query, "query"), ...parameterRows(spec.headers, "header")];
  if (rows.length === 0) return [];
  return [`### ${spec.summary}`, table(["parameter", "in", "default", "meaning"], rows)];
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
      allowed === undefined ? "" : ` One of ${allowed.map(String).map(code).join(", ")}.`;
    const shown = fallback === undefined ? "" : code(String(fallback));
    return [code(name), place, shown, description + range + values];
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

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}
