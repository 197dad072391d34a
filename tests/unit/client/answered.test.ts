import { expect, test } from "bun:test";
import { answered } from "../../../src/client/answered.ts";
import { Backoff } from "../../../src/client/backoff.ts";
import { MillraceError } from "../../../src/client/millrace-error.ts";
import type { ClientPlatform } from "../../../src/client/platform.ts";

/** Pauses that take no time, and how long each should have been. */
function noted() {
  const pauses: number[] = [];
  const platform = {
    random: () => 0,
    pause: async (ms: number) => void pauses.push(ms),
  } as Partial<ClientPlatform> as ClientPlatform;
  return { pauses, backoff: new Backoff(platform, { minMs: 100, maxMs: 1_000 }) };
}

const away = (retryAfterMs?: number) =>
  new MillraceError("network", "away", {
    retriable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

/** Fails with these one after the other, then answers. */
function failing(...errors: readonly Error[]): () => Promise<string> {
  const left = [...errors];
  return async () => {
    const error = left.shift();
    if (error !== undefined) throw error;
    return "answer";
  };
}

test("what may pass is tried again, after longer and longer pauses, and told of", async () => {
  const { pauses, backoff } = noted();
  const troubles: string[] = [];
  const onTrouble = ({ message }: Error) => troubles.push(message);
  const errors = [away(), away(5_000), away()];
  expect(await answered(failing(...errors), backoff, { onTrouble })).toBe("answer");
  expect(pauses).toEqual([100, 5_000, 400]);
  expect(troubles).toEqual(["away", "away", "away"]);
  // An answer puts the pauses back to the first.
  await answered(failing(away()), backoff, {});
  expect(pauses.at(-1)).toBe(100);
});

test("what another attempt does not mend is thrown at once", async () => {
  const { pauses, backoff } = noted();
  const denied = new MillraceError("unauthorized", "no", { retriable: false });
  await expect(answered(failing(away(), denied), backoff, {})).rejects.toBe(denied);
  expect(pauses).toEqual([100]);
});

test("a signal ends it without an answer, before an attempt, in one, and in a pause", async () => {
  const { backoff } = noted();
  const attempts: string[] = [];
  const attempt = (onFailure: () => void) => async () => {
    attempts.push("made");
    onFailure();
    throw away();
  };
  const nothing = () => undefined;
  const before = AbortSignal.abort();
  expect(await answered(attempt(nothing), backoff, { signal: before })).toBeUndefined();
  expect(attempts).toHaveLength(0);
  const within = new AbortController();
  const ended = attempt(() => within.abort());
  expect(await answered(ended, backoff, { signal: within.signal })).toBeUndefined();
  const later = new AbortController();
  const onTrouble = () => later.abort();
  const options = { signal: later.signal, onTrouble };
  expect(await answered(attempt(nothing), backoff, options)).toBeUndefined();
  expect(attempts).toHaveLength(2);
});
