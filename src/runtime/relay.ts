import type { ByteDuplex } from "../base/byte-duplex.ts";

/**
 * Carries bytes between two connections until either ends, then closes both. Nothing is read from
 * one that the other has not taken. Never rejects.
 */
export async function relay(left: ByteDuplex, right: ByteDuplex): Promise<void> {
  await Promise.race([pour(left, right), pour(right, left)]);
  left.close();
  right.close();
}

/** Resolves when one of the two has ended or broken. */
async function pour(from: ByteDuplex, to: ByteDuplex): Promise<void> {
  try {
    for await (const chunk of from.incoming) {
      await to.write([chunk]);
      from.release?.(chunk);
    }
  } catch {
    // The other one is told by the end of its connection.
  }
}
