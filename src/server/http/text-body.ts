/**
 * Bodies written part by part as the client takes them: a slow reader holds one piece and what the
 * parts are made from, never the whole text.
 */

/** About how much is written at a time, in characters. */
export const pieceLengthMin = 64 * 1024;

/** What a Response takes as its body here. */
export type AnswerBody = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

const utf8 = new TextEncoder();

/**
 * A body of all `parts`. When they fit one piece it is that text; `finish` is then called at once,
 * else when the stream has ended in whatever way.
 */
export function textBody(parts: Iterator<string>, finish: () => void): AnswerBody {
  try {
    const first = takePiece(parts);
    if (first.isLast) {
      finish();
      return first.text;
    }
    return restStream(first.text, parts, finish);
  } catch (error) {
    finish();
    throw error;
  }
}

function restStream(
  first: string,
  parts: Iterator<string>,
  finish: () => void,
): ReadableStream<Uint8Array> {
  let piece: { readonly text: string; readonly isLast: boolean } | undefined = {
    text: first,
    isLast: false,
  };
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        try {
          piece ??= takePiece(parts);
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
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}

function takePiece(parts: Iterator<string>): { readonly text: string; readonly isLast: boolean } {
  let text = "";
  while (text.length < pieceLengthMin) {
    const next = parts.next();
    if (next.done === true) return { text, isLast: true };
    text += next.value;
  }
  return { text, isLast: false };
}

/** A body of `parts` as they are; `finish` as above. */
export function bytesBody(parts: readonly Uint8Array[], finish: () => void): AnswerBody {
  const [only] = parts;
  if (parts.length <= 1) {
    finish();
    return only === undefined ? "" : (only as Uint8Array<ArrayBuffer>);
  }
  let index = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const part = parts[index++];
        if (part !== undefined) controller.enqueue(part);
        if (index < parts.length) return;
        finish();
        controller.close();
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}
