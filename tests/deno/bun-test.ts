/**
 * What tests import from `bun:test`, on Deno's test runner and Jest's `expect`, which Bun's follows:
 * tests/deno/imports.json puts it in that place. `describe` only gives names, and hooks their reach.
 */
import { expect as expectValue } from "expect";
import "./bun-global.ts";

declare const Deno: {
  test(definition: {
    readonly name: string;
    readonly sanitizeOps: false;
    readonly sanitizeResources: false;
    readonly sanitizeExit: false;
    fn(): Promise<void>;
  }): void;
};

type Body = (...values: never[]) => unknown;
type Hook = () => unknown;

interface Suite {
  readonly parent: Suite | undefined;
  readonly name: string;
  readonly hooks: Record<"beforeAll" | "beforeEach" | "afterEach" | "afterAll", Hook[]>;
  /** Tests of it, and of suites in it, that have yet to run. */
  left: number;
  hasBegun: boolean;
}

const suiteOf = (name: string, parent?: Suite): Suite => ({
  ...{ name, parent, left: 0, hasBegun: false },
  hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] },
});

let suite = suiteOf("");

function within(inner: Suite | undefined): Suite[] {
  return inner === undefined ? [] : [...within(inner.parent), inner];
}

function define(name: string, body: Hook): void {
  const suites = within(suite);
  for (const each of suites) each.left += 1;
  const names = suites.map((each) => each.name).filter((each) => each !== "");
  Deno.test({
    ...{ name: [...names, name].join(" > "), sanitizeOps: false },
    ...{ sanitizeResources: false, sanitizeExit: false },
    fn: () => runIn(suites, body),
  });
}

async function runIn(suites: readonly Suite[], body: Hook): Promise<void> {
  try {
    for (const each of suites) {
      if (each.hasBegun) continue;
      each.hasBegun = true;
      for (const hook of each.hooks.beforeAll) await hook();
    }
    for (const each of suites) for (const hook of each.hooks.beforeEach) await hook();
    await body();
  } finally {
    const inwards = [...suites].reverse();
    for (const each of inwards) for (const hook of each.hooks.afterEach) await hook();
    for (const each of inwards) {
      each.left -= 1;
      if (each.left === 0) for (const hook of each.hooks.afterAll) await hook();
    }
  }
}

function named(pattern: string, values: readonly unknown[], index: number): string {
  let next = 0;
  return pattern.replace(/%[sdifjop#%]/g, (mark) => {
    if (mark === "%#") return String(index);
    return mark === "%%" ? "%" : String(values[next++]);
  });
}

function each(rows: readonly unknown[], use: (name: string, body: Hook) => void) {
  return (pattern: string, body: Body) => {
    for (const [index, row] of rows.entries()) {
      const values = Array.isArray(row) ? row : [row];
      use(named(pattern, values, index), () => body(...(values as never[])));
    }
  };
}

export function describe(name: string, body: Hook): void {
  const outer = suite;
  suite = suiteOf(name, outer);
  body();
  suite = outer;
}

export function test(name: string, body: Hook): void {
  define(name, body);
}

describe.each = (rows: readonly unknown[]) => each(rows, describe);
test.each = (rows: readonly unknown[]) => each(rows, define);

const hook = (kind: keyof Suite["hooks"]) => (act: Hook) => void suite.hooks[kind].push(act);
export const beforeAll = hook("beforeAll");
export const beforeEach = hook("beforeEach");
export const afterEach = hook("afterEach");
export const afterAll = hook("afterAll");

function judged(pass: boolean, message: string) {
  return { pass, message: () => message };
}

expectValue.extend({
  toStartWith: (text: string, start: string) =>
    judged(
      text.startsWith(start),
      `${JSON.stringify(text)} and its start ${JSON.stringify(start)}`,
    ),
  toEndWith: (text: string, end: string) =>
    judged(text.endsWith(end), `${JSON.stringify(text)} and its end ${JSON.stringify(end)}`),
  toBeWithin: (value: number, from: number, to: number) =>
    judged(value >= from && value < to, `${value} from ${from} to before ${to}`),
  toBeEmpty: (value: string | readonly unknown[]) => judged(value.length === 0, "What is empty"),
  toBeTrue: (value: unknown) => judged(value === true, `${value} is true`),
  toBeFalse: (value: unknown) => judged(value === false, `${value} is false`),
  toBeFunction: (value: unknown) => judged(typeof value === "function", `${value} is a function`),
});

/** Bun takes a message for a failure as well. */
export const expect = Object.assign(
  (value: unknown, _message?: string) => expectValue(value),
  Object.fromEntries(
    Object.getOwnPropertyNames(expectValue)
      .filter((name) => !["length", "name", "prototype"].includes(name))
      .map((name) => [name, expectValue[name as keyof typeof expectValue]]),
  ),
);
