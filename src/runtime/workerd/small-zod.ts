/**
 * Stands in the Worker's bundle for zod: of its shapes those that the Worker has, with the same
 * results, paths and messages, in a tenth of the code. What asks for more fails when the bundle is
 * made, or when the Worker starts; tests compare every shape with zod's own.
 */

type Path = (string | number)[];

interface Issue {
  readonly code: string;
  readonly message: string;
  readonly path?: Path;
  readonly keys?: readonly string[];
  readonly params?: Readonly<Record<string, unknown>>;
  /** True: checks that follow may still look at the value; false: not even those of lengths. */
  readonly continue?: boolean;
}

/** A value on its way through a shape, and what was found wrong with it. */
interface Payload {
  value: unknown;
  issues: Issue[];
  isAborted?: boolean;
  addIssue?(issue: Issue): void;
}

type Run = (payload: Payload) => Payload;

/** Whether a property may be absent, and whether something then takes its place. */
type Absence = "optional" | "defaulted" | undefined;

interface Facts {
  readonly optin?: Absence;
  readonly optout?: Absence;
  readonly shape?: Readonly<Record<string, Shape>>;
  readonly unwrapped?: Shape;
  readonly unknownKeys?: UnknownKeys;
  /** Its bounds are those of a value, not of a length. */
  readonly isNumber?: boolean;
}

type UnknownKeys = "strip" | "refuse" | "keep";
type Message = string | { readonly message: string };

/** The issues of a value that a shape refused, the first found first. */
export class ZodError extends Error {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(JSON.stringify(issues, null, 2));
    this.name = "ZodError";
    this.issues = issues;
  }
}

class Shape {
  readonly run: Run;
  readonly facts: Facts;

  constructor(run: Run, facts: Facts = {}) {
    this.run = run;
    this.facts = facts;
  }

  get shape(): Facts["shape"] {
    return this.facts.shape;
  }

  safeParse(value: unknown) {
    const { value: data, issues } = this.run({ value, issues: [] });
    if (issues.length === 0) return { success: true, data };
    const found = issues.map(({ continue: _, ...issue }) => ({ path: [], ...issue }));
    return { success: false, error: new ZodError(found) };
  }

  parse(value: unknown): unknown {
    const { data, error } = this.safeParse(value);
    if (error !== undefined) throw error;
    return data;
  }

  unwrap(): Shape | undefined {
    return this.facts.unwrapped;
  }

  extend(more: Readonly<Record<string, Shape>>): Shape {
    return objectOf({ ...this.shape, ...more }, this.facts.unknownKeys ?? "strip");
  }

  /** Of an object: no property may be absent. */
  required(): Shape {
    const shape = Object.entries(this.shape ?? {}).map(([key, each]) => [key, present(each)]);
    return objectOf(Object.fromEntries(shape), this.facts.unknownKeys ?? "strip");
  }

  /** What a shape says of itself is for documents alone. */
  describe(): this {
    return this;
  }

  meta(): this {
    return this;
  }

  optional(): Shape {
    const { run, facts } = this;
    const isDefaulted = facts.optin === "defaulted";
    const runs: Run = (payload) => {
      if (payload.value !== undefined) return run(payload);
      if (!isDefaulted) return payload;
      const { value, issues } = run({ value: undefined, issues: [] });
      payload.value = issues.length > 0 ? undefined : value;
      return payload;
    };
    const optin = isDefaulted ? "defaulted" : "optional";
    return new Shape(runs, { optin, optout: "optional", unwrapped: this });
  }

  nullable(): Shape {
    const { run, facts } = this;
    const { optin, optout } = facts;
    const runs: Run = (payload) => (payload.value === null ? payload : run(payload));
    return new Shape(runs, { optin, optout, unwrapped: this });
  }

  nullish(): Shape {
    return this.nullable().optional();
  }

  default(fallback: unknown): Shape {
    const { run } = this;
    const runs: Run = (payload) => {
      const found = payload.value === undefined ? payload : run(payload);
      // A fresh one each time, since whoever parses owns what comes out.
      if (found.value === undefined) found.value = structuredClone(fallback);
      return found;
    };
    return new Shape(runs, { optin: "defaulted", unwrapped: this });
  }

  pipe({ run: next, facts }: Shape): Shape {
    const { run } = this;
    const runs: Run = (payload) => {
      const left = run(payload);
      if (left.issues.every(({ code }) => code === "unrecognized_keys")) {
        return next({ value: left.value, issues: left.issues });
      }
      left.isAborted = true;
      return left;
    };
    return new Shape(runs, { optin: this.facts.optin, optout: facts.optout });
  }

  transform(change: (value: unknown, context: Payload) => unknown): Shape {
    const changes: Run = (payload) => {
      payload.addIssue = (issue) => {
        payload.issues.push(issue);
      };
      payload.value = change(payload.value, payload);
      return payload;
    };
    return this.pipe(new Shape(changes, { optin: "optional" }));
  }

  refine(holds: (value: unknown) => boolean, message: Message = "Invalid input"): Shape {
    return checked(this, ({ value, issues }) => {
      if (!holds(value)) issues.push({ code: "custom", message: textOf(message), continue: true });
    });
  }

  regex(pattern: RegExp, message?: string): Shape {
    const otherwise = `Invalid string: must match pattern ${pattern}`;
    return checked(this, ({ value, issues }) => {
      if (pattern.test(value as string)) return;
      issues.push({ code: "invalid_format", message: message ?? otherwise, continue: true });
    });
  }

  int(): Shape {
    return checked(this, checkWhole());
  }

  nonnegative(): Shape {
    return this.#atLeast(0);
  }

  positive(): Shape {
    return this.#bounded("too_small", ">0", (value) => value > 0);
  }

  min(least: number): Shape {
    return this.#atLeast(least);
  }

  max(most: number): Shape {
    return this.#bounded("too_big", `<=${most}`, (value) => value <= most, most);
  }

  #atLeast(least: number): Shape {
    return this.#bounded("too_small", `>=${least}`, (value) => value >= least, least);
  }

  /** Of numbers their value, of texts and arrays their length. */
  #bounded(code: string, bound: string, holds: (size: number) => boolean, limit = 0): Shape {
    const [size, verb] = code === "too_big" ? ["Too big", "to have"] : ["Too small", "to have"];
    const check = ({ value, issues }: Payload) => {
      if (typeof value === "number") {
        if (holds(value)) return;
        issues.push({ code, message: `${size}: expected number to be ${bound}`, continue: true });
        return;
      }
      if (holds(lengthOf(value as string | unknown[], limit))) return;
      const kind = kindOf(value);
      const unit = kind === "string" ? "characters" : "items";
      const wanted =
        kind === "object" ? `unknown to be ${bound}` : `${kind} ${verb} ${bound} ${unit}`;
      issues.push({ code, message: `${size}: expected ${wanted}`, continue: true });
    };
    return checked(this, check, this.facts.isNumber !== true);
  }
}

/** `measures`: lengths are looked at even if the value is of the wrong type. */
function checked(shape: Shape, check: (payload: Payload) => void, measures = false): Shape {
  const run: Run = (payload) => {
    const found = shape.run(payload);
    if (found.isAborted) return found;
    const isWrong = found.issues.some((issue) => issue.continue !== true);
    const isOver = found.issues.some((issue) => issue.continue === false);
    if (!isWrong || (measures && !isOver && hasLength(found.value))) check(found);
    return found;
  };
  return new Shape(run, shape.facts);
}

function textOf(message: Message): string {
  return typeof message === "string" ? message : message.message;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function hasLength(value: unknown): boolean {
  if (typeof value === "number") return false;
  return value !== null && value !== undefined && (value as unknown[]).length !== undefined;
}

/** Of texts code points; which are only counted where it matters to `limit`, a bound. */
function lengthOf(value: string | readonly unknown[], limit: number): number {
  const { length } = value;
  if (typeof value !== "string" || length < limit || length > 2 * limit) return length;
  return length - (value.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

function wrongType({ value, issues }: Payload, expected: string): void {
  const isOdd = typeof value === "number" && !Number.isFinite(value);
  const received = isOdd ? String(value) : kindOf(value);
  const message = `Invalid input: expected ${expected}, received ${received}`;
  issues.push({ code: "invalid_type", message });
}

/** A shape of what `holds` is true of. */
function typed(expected: string, holds: (value: unknown) => boolean): Shape {
  return new Shape((payload) => {
    if (!holds(payload.value)) wrongType(payload, expected);
    return payload;
  });
}

export function string(): Shape {
  return typed("string", (value) => typeof value === "string");
}

export function number(): Shape {
  const { run } = typed("number", Number.isFinite);
  return new Shape(run, { isNumber: true });
}

export function boolean(): Shape {
  return typed("boolean", (value) => typeof value === "boolean");
}

export function unknown(): Shape {
  return new Shape((payload) => payload);
}

export function int(): Shape {
  return number().int();
}

export function int32(): Shape {
  return checked(number(), checkWhole(-(2 ** 31), 2 ** 31 - 1));
}

function checkWhole(least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY) {
  return ({ value, issues }: Payload): void => {
    const given = value as number;
    if (!Number.isInteger(given)) {
      const message = "Invalid input: expected int, received number";
      issues.push({ code: "invalid_type", message, continue: false });
      return;
    }
    const isSafe = Number.isSafeInteger(given);
    const kind = isSafe ? "number" : "int";
    const from = isSafe ? least : Number.MIN_SAFE_INTEGER;
    const to = isSafe ? most : Number.MAX_SAFE_INTEGER;
    if (given < from) {
      const message = `Too small: expected ${kind} to be >=${from}`;
      issues.push({ code: "too_small", message, continue: true });
    }
    if (given > to) {
      const message = `Too big: expected ${kind} to be <=${to}`;
      issues.push({ code: "too_big", message, continue: true });
    }
  };
}

export function base64(): Shape {
  const message = "Invalid base64-encoded string";
  return checked(string(), ({ value, issues }) => {
    if (!isBase64(value)) issues.push({ code: "invalid_format", message, continue: true });
  });
}

function isBase64(value: unknown): boolean {
  const text = value as string;
  if (text.length % 4 !== 0 || /\s/.test(text)) return false;
  try {
    atob(text);
    return true;
  } catch {
    return false;
  }
}

function oneOf(values: readonly unknown[]): Shape {
  const texts = values.map((each) => (typeof each === "string" ? `"${each}"` : String(each)));
  const message =
    texts.length === 1
      ? `Invalid input: expected ${texts[0]}`
      : `Invalid option: expected one of ${texts.join("|")}`;
  return new Shape((payload) => {
    if (!values.includes(payload.value)) payload.issues.push({ code: "invalid_value", message });
    return payload;
  });
}

function literal(value: unknown): Shape {
  return oneOf([value]);
}

function nothing(): Shape {
  return typed("null", (value) => value === null);
}

export { literal, nothing as null, oneOf as enum };

export function array(element: Shape): Shape {
  return new Shape((payload) => {
    const { value } = payload;
    if (!Array.isArray(value)) {
      wrongType(payload, "array");
      return payload;
    }
    payload.value = value.map((each: unknown, index) => part(payload, element, each, index).value);
    return payload;
  });
}

export function tuple(items: readonly Shape[]): Shape {
  return new Shape((payload) => {
    const { value, issues } = payload;
    const { length } = items;
    if (!Array.isArray(value)) {
      wrongType(payload, "tuple");
      return payload;
    }
    if (value.length !== length) {
      const isLong = value.length > length;
      const [size, bound] = isLong ? ["Too big", "<="] : ["Too small", ">="];
      const message = `${size}: expected array to have ${bound}${length} items`;
      issues.push({ code: isLong ? "too_big" : "too_small", message });
      if (!isLong) return payload;
    }
    payload.value = items.map((item, index) => part(payload, item, value[index], index).value);
    return payload;
  });
}

/** What a part is read as; its issues become the whole's. */
function part(whole: Payload, shape: Shape, value: unknown, key: string | number): Payload {
  const found = shape.run({ value, issues: [] });
  for (const issue of found.issues) {
    whole.issues.push({ ...issue, path: [key, ...(issue.path ?? [])] });
  }
  return found;
}

export function record(_key: Shape, element: Shape): Shape {
  return new Shape((payload) => {
    const { value } = payload;
    if (kindOf(value) !== "object") {
      wrongType(payload, "record");
      return payload;
    }
    const read: Record<string, unknown> = {};
    for (const [key, each] of Object.entries(value as object)) {
      if (key !== "__proto__") read[key] = part(payload, element, each, key).value;
    }
    payload.value = read;
    return payload;
  });
}

export function object(shape: Readonly<Record<string, Shape>>): Shape {
  return objectOf(shape, "strip");
}

export function strictObject(shape: Readonly<Record<string, Shape>>): Shape {
  return objectOf(shape, "refuse");
}

export function looseObject(shape: Readonly<Record<string, Shape>>): Shape {
  return objectOf(shape, "keep");
}

function objectOf(shape: Readonly<Record<string, Shape>>, unknownKeys: UnknownKeys): Shape {
  const run: Run = (payload) => {
    const given = payload.value;
    if (kindOf(given) !== "object") {
      wrongType(payload, "object");
      return payload;
    }
    const input = given as Record<string, unknown>;
    const read: Record<string, unknown> = {};
    payload.value = read;
    for (const [key, each] of Object.entries(shape)) property(payload, each, input, key);
    if (unknownKeys === "strip") return payload;
    const keys = Object.keys(input).filter((key) => !Object.hasOwn(shape, key));
    if (unknownKeys === "keep") {
      for (const key of keys) if (key !== "__proto__") read[key] = input[key];
    } else if (keys.length > 0) {
      const listed = keys.map((key) => `"${key}"`).join(", ");
      const message = `Unrecognized key${keys.length > 1 ? "s" : ""}: ${listed}`;
      payload.issues.push({ code: "unrecognized_keys", keys, message, continue: true });
    }
    return payload;
  };
  return new Shape(run, { shape, unknownKeys });
}

function present({ run }: Shape): Shape {
  return new Shape((payload) => {
    const found = run(payload);
    if (found.issues.length === 0 && found.value === undefined) found.issues.push({ ...absent });
    return found;
  });
}

const absent: Issue = {
  code: "invalid_type",
  message: "Invalid input: expected nonoptional, received undefined",
};

/** One property of `input` into what `whole` is read as. */
function property(whole: Payload, shape: Shape, input: Record<string, unknown>, key: string): void {
  const { optin, optout } = shape.facts;
  const isPresent = key in input;
  const mayLack = optout === "optional";
  if (!isPresent && mayLack && optin === "optional") return;
  const inner: Payload = { value: undefined, issues: [] };
  const { value } = part(inner, shape, input[key], key);
  if (inner.issues.length > 0 && !(optin !== undefined && mayLack && !isPresent)) {
    whole.issues.push(...inner.issues);
  }
  if (!isPresent && optin === undefined) {
    if (inner.issues.length > 0) return;
    whole.issues.push({ ...absent, path: [key] });
    return;
  }
  if (value === undefined && !isPresent && !(optin === "defaulted" && !mayLack)) return;
  (whole.value as Record<string, unknown>)[key] = value;
}

export function union(options: readonly Shape[]): Shape {
  const optins = options.map(({ facts }) => facts.optin);
  const optin = optins.includes("defaulted") ? "defaulted" : optins.find((each) => each);
  const optout = options.find(({ facts }) => facts.optout)?.facts.optout;
  const run: Run = (payload) => {
    const met: Payload[] = [];
    for (const option of options) {
      const found = option.run({ value: payload.value, issues: [] });
      if (found.issues.length === 0) return found;
      met.push(found);
    }
    const [only, ...more] = met.filter(
      ({ isAborted, issues }) => !isAborted && issues.every((issue) => issue.continue === true),
    );
    if (only !== undefined && more.length === 0) return only;
    payload.issues.push({ code: "invalid_union", message: "Invalid input" });
    return payload;
  };
  return new Shape(run, { optin, optout });
}

/** What a change gives that has found an issue instead. */
export const NEVER: unknown = undefined;

export function prettifyError({ issues }: Pick<ZodError, "issues">): string {
  const lengthOfPath = ({ path }: Issue) => path?.length ?? 0;
  return [...issues]
    .sort((left, right) => lengthOfPath(left) - lengthOfPath(right))
    .flatMap((issue) => [
      `✖ ${issue.message}`,
      ...(lengthOfPath(issue) > 0 ? [`  → at ${dotted(issue.path ?? [])}`] : []),
    ])
    .join("\n");
}

function dotted(path: Path): string {
  return path
    .map((each, index) => {
      if (typeof each === "number") return `[${each}]`;
      return /[^\w$]/.test(each) ? `[${JSON.stringify(each)}]` : `${index > 0 ? "." : ""}${each}`;
    })
    .join("");
}
