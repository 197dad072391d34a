/** DOUBLE and FLOAT as the shortest JSON number that reads back as the same. */

/** `value` is finite, and what `Math.fround` gives if it is a FLOAT. */
export function formatReal(value: number, isFloat: boolean): string {
  if (!isFloat) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
