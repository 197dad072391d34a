/** Times as kernels take them. */

/** Beyond any calendar, and such that sums with sizes and delays do not wrap. */
const endOfTime = 2n ** 60n;

/** Milliseconds as a bigint; what lies beyond time, infinities among it, is the end of time. */
export function millisOf(ms: number): bigint {
  if (ms >= Number(endOfTime)) return endOfTime;
  if (ms <= -Number(endOfTime)) return -endOfTime;
  return BigInt(ms);
}
