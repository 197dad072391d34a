/** The name that was probably meant. */

/** Names that are compared with a misspelt one. */
const nearCandidatesMax = 2_000;
/** Characters of a word for which near ones are looked for. */
const nearLengthMax = 64;

/**
 * The candidate nearest to `word`, whatever its case, or null when none is near: one slip in a
 * short word, two in a longer one, none in one of two letters. Of equally near ones, the first.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const wanted = word.toUpperCase();
  if (wanted.length < 2 || wanted.length > nearLengthMax) return null;
  let best: string | null = null;
  let bestSlips = slipsMax(wanted) + 1;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > nearCandidatesMax) break;
    if (Math.abs(candidate.length - wanted.length) >= bestSlips) continue;
    const slips = slipsBetween(wanted, candidate.toUpperCase());
    if (slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

function slipsMax(word: string): number {
  if (word.length <= 2) return 0;
  return word.length <= 4 ? 1 : 2;
}

/** Letters to insert, delete, replace, or swap with their neighbour. */
export function slipsBetween(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = at(last, j - 1) + (left[i - 1] === right[j - 1] ? 0 : 1);
      let slips = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced);
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (isSwap) slips = Math.min(slips, at(beforeLast, j - 2) + 1);
      row.push(slips);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, right.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
