/** How tight operators bind: the parser reads by it, the formatter sets parentheses by it. */
import type { BinaryOperator } from "./ast.ts";

export const precedences = {
  or: 1,
  and: 2,
  not: 3,
  is: 4,
  compare: 5,
  /** BETWEEN, IN, LIKE. */
  range: 6,
  add: 7,
  multiply: 8,
  sign: 9,
  primary: 10,
} as const;

const byOperator: ReadonlyMap<string, number> = new Map<BinaryOperator, number>([
  ["OR", precedences.or],
  ["AND", precedences.and],
  ["=", precedences.compare],
  ["<>", precedences.compare],
  ["<", precedences.compare],
  ["<=", precedences.compare],
  [">", precedences.compare],
  [">=", precedences.compare],
  ["IS DISTINCT FROM", precedences.compare],
  ["IS NOT DISTINCT FROM", precedences.compare],
  ["+", precedences.add],
  ["-", precedences.add],
  ["*", precedences.multiply],
  ["/", precedences.multiply],
  ["%", precedences.multiply],
  ["||", precedences.multiply],
]);

/** Null for what is no binary operator. */
export function precedenceOf(operator: BinaryOperator): number;
export function precedenceOf(operator: string): number | null;
export function precedenceOf(operator: string): number | null {
  return byOperator.get(operator) ?? null;
}
