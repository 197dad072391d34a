/**
 * The path language of SQL's JSON functions: `lax` or `strict` (also without a word, as Flink has
 * it), then `$`, `.name`, `['name']`, `.["name"]`, `[0]`, `.*` and `[*]`. Lax: a member that is not
 * there is nothing, not an error, and lists are opened.
 */
import { isList, isMembers, type JsonValue } from "./json-text.ts";
import { RowError, shown } from "./row-error.ts";

type Step =
  | { readonly kind: "member"; readonly name: string }
  | { readonly kind: "item"; readonly index: number }
  | { readonly kind: "members" | "items" };

export interface JsonPath {
  readonly isStrict: boolean;
  /** It has a `*`: what it leads to is a list, of however many. */
  readonly isMany: boolean;
  readonly steps: readonly Step[];
}

const parsed = new Map<string, JsonPath>();
const parsedMax = 256;

export function parseJsonPath(text: string): JsonPath {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const path = readPath(text);
  if (parsed.size >= parsedMax) parsed.clear();
  parsed.set(text, path);
  return path;
}

function readPath(text: string): JsonPath {
  const head = /^\s*(lax|strict)?\s*\$/i.exec(text);
  if (head === null) throw new RowError(`${shown(text)} is no JSON path: it begins with $`);
  const steps: Step[] = [];
  let rest = text.slice(head[0].length).trimEnd();
  while (rest !== "") {
    const step =
      /^\.\s*([\p{L}_][\p{L}\p{N}_-]*)/u.exec(rest) ??
      /^\.?\[\s*(?:'([^']*)'|"([^"]*)")\s*\]/.exec(rest) ??
      /^\[\s*(\d{1,9})\s*\]/.exec(rest) ??
      /^(\.\*|\[\s*\*\s*\])/.exec(rest);
    if (step === null) {
      throw new RowError(`The JSON path ${shown(text)} goes wrong at ${shown(rest)}`);
    }
    steps.push(stepOf(step[0], step[1] ?? step[2] ?? ""));
    rest = rest.slice(step[0].length);
  }
  const isMany = steps.some(isForMany);
  return { isStrict: head[1]?.toLowerCase() !== "lax", isMany, steps };
}

function stepOf(token: string, name: string): Step {
  if (token === ".*") return { kind: "members" };
  if (/^\[\s*\*/.test(token)) return { kind: "items" };
  if (/^\[\s*\d/.test(token)) return { kind: "item", index: Number(name) };
  return { kind: "member", name };
}

function isForMany({ kind }: Step): boolean {
  return kind === "members" || kind === "items";
}

/** What a path leads to; in strict mode an error where a step before any `*` finds nothing. */
export function selectJson(path: JsonPath, root: JsonValue): readonly JsonValue[] {
  let found: readonly JsonValue[] = [root];
  let isMany = false;
  for (const step of path.steps) {
    isMany ||= isForMany(step);
    found = found.flatMap((value) => {
      const next = take(step, value, path.isStrict);
      if (next.length === 0 && path.isStrict && !isMany) throw new PathFault();
      return next;
    });
  }
  return found;
}

/** Strict mode met a step that leads nowhere: what ON ERROR is for. */
export class PathFault extends Error {}

function take(step: Step, value: JsonValue, isStrict: boolean): readonly JsonValue[] {
  switch (step.kind) {
    case "member": {
      if (isMembers(value)) return value.has(step.name) ? [value.get(step.name) ?? null] : [];
      if (isStrict || !isList(value)) return [];
      return value.flatMap((each) => (isList(each) ? [] : take(step, each, isStrict)));
    }
    case "members":
      return isMembers(value) ? [...value.values()] : [];
    case "item": {
      if (isList(value)) return step.index < value.length ? [value[step.index] ?? null] : [];
      return !isStrict && step.index === 0 ? [value] : [];
    }
    case "items":
      return isList(value) ? value : isStrict ? [] : [value];
  }
}
