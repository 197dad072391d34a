/** Text forms of FLOAT and DOUBLE: the shortest digits that read back the same, in Java's form. */

/** `1.0`, `0.001`, `1.0E7`, `1.5E-4`. */
export function formatDouble(value: number): string {
  return javaForm(value, String(Math.abs(value)));
}

/** As `formatDouble`, with the shortest digits that tell the 32-bit number from its neighbours. */
export function formatFloat(value: number): string {
  const size = Math.abs(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = size.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(size)) return javaForm(value, text);
  }
  return javaForm(value, String(size));
}

function javaForm(value: number, shortest: string): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0.0`;
  const [mantissa = "", exponentText = "0"] = shortest.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const lead = /^0*/.exec(whole + fraction)?.[0].length ?? 0;
  const digits = (whole + fraction).slice(lead).replace(/0+$/, "") || "0";
  /** The number is 0.digits × 10^point. */
  const point = whole.length - lead + Number(exponentText);
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) {
    if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
    const head = digits.slice(0, point).padEnd(point, "0");
    return `${sign}${head}.${digits.slice(point) || "0"}`;
  }
  return `${sign}${digits[0]}.${digits.slice(1) || "0"}E${point - 1}`;
}

/** Reads what Java's parseDouble reads, without NaN, Infinity and hexadecimal; null: no number. */
export function parseDouble(text: string): number | null {
  const trimmed = text.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?$/.test(trimmed)) return null;
  const value = Number(trimmed.replace(/[dDfF]$/, ""));
  return Number.isFinite(value) ? value : null;
}
