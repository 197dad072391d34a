/**
 * The same load given to several subjects in turn: A B A B … What else the machine does then falls on
 * all of them, and the ratio of neighbours says more than either figure.
 */
import type { BenchContext } from "../benchmark.ts";
import { median, percentile, ratios, rounded } from "./statistics.ts";

export interface Subject {
  readonly name: string;
  /** One measurement; larger or smaller is better as the caller knows. */
  measure(round: number): Promise<number>;
}

export interface Alternation {
  /** By subject, then by round. */
  readonly values: readonly (readonly number[])[];
}

export async function alternate(
  { options, say }: Pick<BenchContext, "options" | "say">,
  subjects: readonly Subject[],
  unit: string,
): Promise<Alternation> {
  const values = subjects.map((): number[] => []);
  for (let round = 0; round < options.rounds; round++) {
    const shown: string[] = [];
    for (const [index, subject] of subjects.entries()) {
      const value = await subject.measure(round);
      values[index]?.push(value);
      shown.push(`${subject.name} ${rounded(value)}`);
    }
    say(`  round ${round + 1} of ${options.rounds}: ${shown.join(", ")} ${unit}`);
  }
  return { values };
}

/** Median of one subject, with the spread of its rounds. */
export function medianOf(alternation: Alternation, subject: number) {
  const values = alternation.values[subject] ?? [];
  return { value: median(values), note: spread(values) };
}

/** Median of the rounds' ratios of the first subject to another. */
export function ratioTo(alternation: Alternation, subject: number) {
  const [first = []] = alternation.values;
  const all = ratios(first, alternation.values[subject] ?? []);
  return { value: median(all), note: spread(all) };
}

function spread(values: readonly number[]): string {
  if (values.length < 2) return "";
  return `${rounded(percentile(values, 0))} to ${rounded(percentile(values, 1))} in ${values.length} rounds`;
}
