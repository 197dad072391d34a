/**
 * What sockets that send as fast as their client asks for have in common: topic-socket.ts and
 * sql-socket.ts.
 */

/** More outstanding credit than this is a client that does not mean it. */
const creditMax = 100_000;
/** What waits to leave for a client that is slower than its credit. */
export const bufferedBytesMax = 256 * 1024;
/** Between looks whether it has left. */
export const lookMs = 50;

/** Asks whether the other end is there, and is the answer, also of objects that sleep (ADR 81). */
export const areYouThere = "{}";

/** Codes of RFC 6455, 7.4.1. */
export const closeCode = {
  normal: 1000,
  goingAway: 1001,
  wrongMessage: 1008,
  failed: 1011,
} as const;

export interface Credit {
  readonly credit: number;
  /** Why the socket is to be closed. */
  readonly wrong?: string;
}

/** The credit with what a message gives added. */
export function withCredit(credit: number, message: string | Uint8Array): Credit {
  const given = creditOf(message);
  if (given === undefined) return { credit, wrong: 'send {"credit":100}' };
  const sum = credit + given;
  return sum > creditMax ? { credit: sum, wrong: `credit over ${creditMax}` } : { credit: sum };
}

/** What a message gives; undefined for one that is none of ours. */
function creditOf(message: string | Uint8Array): number | undefined {
  if (typeof message !== "string" || message.length > 1000) return undefined;
  try {
    const { credit } = JSON.parse(message) as { readonly credit?: unknown };
    return Number.isSafeInteger(credit) && Number(credit) > 0 ? Number(credit) : undefined;
  } catch {
    return undefined;
  }
}
