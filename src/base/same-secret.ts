const encoder = new TextEncoder();

/**
 * Compares a presented secret with the expected one in a time that tells nothing about where they
 * differ; it depends on the length of the expected one only.
 */
export function isSameSecret(presented: string, expected: string): boolean {
  const given = encoder.encode(presented);
  const wanted = encoder.encode(expected);
  let difference = given.length ^ wanted.length;
  for (let index = 0; index < wanted.length; index++) {
    difference |= (given[index] ?? 0) ^ (wanted[index] as number);
  }
  return difference === 0;
}
