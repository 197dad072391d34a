/**
 * Compares a presented secret with the expected one in a time that tells nothing about where they
 * differ; it depends on the length of the expected one only. By the units of JavaScript's strings,
 * so that nothing is encoded for a check that each request makes.
 */
export function isSameSecret(presented: string, expected: string): boolean {
  let difference = presented.length ^ expected.length;
  // Beyond the end of what was presented there is NaN, which counts as 0 here.
  for (let index = 0; index < expected.length; index++) {
    difference |= presented.charCodeAt(index) ^ expected.charCodeAt(index);
  }
  return difference === 0;
}
