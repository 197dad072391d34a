/**
 * Bodies written piece by piece as the client takes them: a slow reader holds one piece and what
 * the pieces are made from, never the whole text. What a runtime is given it holds beyond our
 * reach, so pieces are small whatever they are cut from.
 */
import type { Timers } from "../../base/platform.ts";

/** About how much is written at a time, in characters. */
export const pieceLengthMin = 64 * 1024;
/** How much is written at a time of bytes that are there already. */
const pieceBytes = 128 * 1024;
/** Between looks whether there is room for what comes next. */
const lookMs = 100;

/** A part that says: the next part cannot be made now, ask again in a moment. */
export const noTextYet = "";

/** What a Response takes as its body here. */
export type AnswerBody = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

const utf8 = new TextEncoder();

export interface BodyOptions {
  /** Called once the body has been written or left, in whatever way. Idempotent. */
  readonly finish: () => void;
  readonly timers: Timers;
}

/**
 * A body of all `parts`. When they fit one piece it is that text; `finish` is then called at once.
 */
export function textBody(parts: Iterator<string>, options: BodyOptions): AnswerBody {
  try {
    const first = takePiece(parts);
    if (first.isLast) {
      options.finish();
      return first.text;
    }
    return restStream(first, parts, options);
  } catch (error) {
    options.finish();
    throw error;
  }
}

interface Piece {
  readonly text: string;
  readonly isLast: boolean;
}

function restStream(
  first: Piece,
  parts: Iterator<string>,
  { finish, timers }: BodyOptions,
): ReadableStream<Uint8Array> {
  let piece: Piece | undefined = first;
  let isLeft = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          piece ??= takePiece(parts);
          while (piece.text === noTextYet && !piece.isLast) {
            await timers.sleep(lookMs);
            if (isLeft) return;
            piece = takePiece(parts);
          }
          if (piece.text !== "") controller.enqueue(utf8.encode(piece.text));
          if (piece.isLast) {
            finish();
            controller.close();
          }
          piece = undefined;
        } catch (error) {
          finish();
          controller.error(error);
        }
      },
      cancel() {
        isLeft = true;
        parts.return?.();
        finish();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A body of pieces as they are made; an empty one: the next cannot be made now. */
export function piecesBody(
  pieces: Iterator<Uint8Array<ArrayBuffer>>,
  { finish, timers }: BodyOptions,
): AnswerBody {
  let isLeft = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          let next = pieces.next();
          while (next.done !== true && next.value.length === 0) {
            await timers.sleep(lookMs);
            if (isLeft) return;
            next = pieces.next();
          }
          if (next.done !== true) {
            controller.enqueue(next.value);
            return;
          }
          finish();
          controller.close();
        } catch (error) {
          finish();
          controller.error(error);
        }
      },
      cancel() {
        isLeft = true;
        pieces.return?.();
        finish();
      },
    },
    { highWaterMark: 0 },
  );
}

function takePiece(parts: Iterator<string>): Piece {
  let text = "";
  while (text.length < pieceLengthMin) {
    const next = parts.next();
    if (next.done === true) return { text, isLast: true };
    if (next.value === noTextYet) break;
    text += next.value;
  }
  return { text, isLast: false };
}

/** A body of `parts` as they are; `finish` as above. */
export function bytesBody(parts: readonly Uint8Array[], finish: () => void): AnswerBody {
  const pieces = piecesOf(parts);
  const [only] = parts;
  if (only === undefined || (parts.length === 1 && only.length <= pieceBytes)) {
    finish();
    return only === undefined ? "" : (only as Uint8Array<ArrayBuffer>);
  }
  let next = pieces.next();
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (next.done !== true) controller.enqueue(next.value);
        next = pieces.next();
        if (next.done !== true) return;
        finish();
        controller.close();
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}

function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += pieceBytes) {
      yield part.subarray(start, start + pieceBytes);
    }
  }
}
