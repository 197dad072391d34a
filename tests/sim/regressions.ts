/** Seeds that once found a mistake, with what it was. They run first in the test. */
export const regressions: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 25, found: "a hole that a failed write left in a rolling file cut what lay behind it" },
  { seed: 45, found: "a start that broke off left lost bytes to nobody" },
  { seed: 21, found: "a partition added elsewhere was denied out of the cached topic" },
  { seed: 7, found: "an unknown producer's second batch was taken when its first had failed" },
  { seed: 49, found: "what a refused topic lookup left out was overtaken on its connection" },
];
