/**
 * Stands in for `bun:test` where a contract suite runs inside workerd: collects the cases instead
 * of running them, with the matchers that the suites use.
 */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";

export const cases = new Map<string, () => unknown>();
const titles: string[] = [];

export function describe(title: string, define: () => void): void {
  titles.push(title);
  define();
  titles.pop();
}

export function test(title: string, run: () => unknown): void {
  cases.set([...titles, title].join(" > "), run);
}

export function expect(actual: unknown) {
  return {
    toBe: (expected: unknown) => strictEqual(actual, expected),
    toEqual: (expected: unknown) => deepStrictEqual(actual, expected),
    toBeUndefined: () => strictEqual(actual, undefined),
    toMatchObject(expected: Readonly<Record<string, unknown>>) {
      const found = Object.keys(expected).map((key) => [key, Reflect.get(Object(actual), key)]);
      deepStrictEqual(Object.fromEntries(found), expected);
    },
    not: {
      toBe: (expected: unknown) => ok(actual !== expected, `not ${String(expected)}`),
    },
    rejects: {
      toThrow: (text: string) => rejects(actual as Promise<unknown>, new RegExp(text)),
    },
  };
}
