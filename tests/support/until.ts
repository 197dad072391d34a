/** Waits for what comes in its own time. */

const looksMax = 2_000;
const betweenMs = 10;

/** Looks again, for 20 seconds at least, until `find` is content; what it found. */
export async function until<T>(find: () => Promise<T | undefined | false> | T | undefined | false) {
  for (let looks = 0; looks < looksMax; looks++) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, betweenMs));
  }
  throw new Error("it never came");
}
