/**
 * Simple regular expressions as programs of a backtracking matcher in the vector kernel, which runs
 * them over texts of ASCII: there bytes are characters. It takes what JavaScript's engine would try
 * in the same order: alternatives, groups that do not repeat, classes, and greedy repetition of
 * single characters. Anything else is not covered.
 *
 * Program, little-endian; offsets are from its start:
 *
 *    0  u32 length, 4 u32 offset of a text that each match has; length 0: none is known
 *    8  i32 how far before it a match begins at most; −1: anywhere
 *   12  u32 offset of the code
 *   code, 8 bytes each: u8 operation, u8 value, u16 0, u32 argument
 *   sets of characters, 16 bytes each: a bit per character
 *   texts
 */
import { compilePattern } from "../functions/regular-expression.ts";
import { RowError } from "../functions/row-error.ts";

const operation = {
  character: 0,
  set: 1,
  repeat: 2,
  split: 3,
  jump: 4,
  save: 5,
  start: 6,
  end: 7,
  match: 8,
  text: 9,
} as const;

/** Characters of one `text`. */
const textLengthMax = 255;

interface Instruction {
  readonly op: number;
  readonly value: number;
  argument: number;
  readonly members?: CharacterSet;
  readonly text?: string;
}

type CharacterSet = readonly boolean[];

type Piece =
  | { readonly kind: "set"; readonly members: CharacterSet; readonly repeat: "" | "?" | "*" | "+" }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "group"; readonly number: number | null; readonly branches: Branches };

type Branches = readonly (readonly Piece[])[];

/** The program that finds a group of the first match; null: the kernel cannot. */
export function patternProgram(pattern: string, group: number): Uint8Array | null {
  let expression: RegExp;
  try {
    expression = compilePattern(pattern);
  } catch (cause) {
    // Each row will say so.
    if (cause instanceof RowError) return null;
    throw cause;
  }
  if (expression.flags !== "u") return null;
  const parser = new Parser(expression.source);
  const branches = parser.parse();
  if (branches === null || group > parser.groupCount) return null;
  return encode(branches, group);
}

/** Reads JavaScript's form, as `compilePattern` writes it. */
class Parser {
  readonly #source: string;
  #position = 0;
  groupCount = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Branches | null {
    const branches = this.#branches();
    return this.#position === this.#source.length ? branches : null;
  }

  #branches(): Branches | null {
    const branches: Piece[][] = [[]];
    for (;;) {
      const next = this.#source[this.#position];
      if (next === undefined || next === ")") return branches;
      if (next === "|") {
        this.#position++;
        branches.push([]);
        continue;
      }
      const piece = this.#piece(next);
      if (piece === null) return null;
      branches.at(-1)?.push(piece);
    }
  }

  #piece(next: string): Piece | null {
    if (next === "^" || next === "$") {
      this.#position++;
      return /[*+?{]/.test(this.#peek()) ? null : { kind: next === "^" ? "start" : "end" };
    }
    if (next === "(") return this.#group();
    const members = this.#members(next);
    if (members === null) return null;
    const repeat = this.#peek();
    if (repeat === "{") return null;
    if (repeat !== "*" && repeat !== "+" && repeat !== "?") {
      return { kind: "set", members, repeat: "" };
    }
    this.#position++;
    return this.#peek() === "?" ? null : { kind: "set", members, repeat };
  }

  #peek(): string {
    return this.#source[this.#position] ?? "";
  }

  #group(): Piece | null {
    const isPlain = this.#source.startsWith("(?:", this.#position);
    if (!isPlain && this.#source.startsWith("(?", this.#position)) return null;
    this.#position += isPlain ? 3 : 1;
    const number = isPlain ? null : ++this.groupCount;
    const branches = this.#branches();
    if (branches === null || this.#peek() !== ")") return null;
    this.#position++;
    return /[*+?{]/.test(this.#peek()) ? null : { kind: "group", number, branches };
  }

  /** The characters that one atom stands for. */
  #members(next: string): CharacterSet | null {
    if (next === "[") return this.#bracketed();
    if (next === "\\") return this.#escaped();
    if (/[*+?{}\]]/.test(next) || next > "\x7f") return null;
    this.#position++;
    // What else ends a line is none of ASCII's.
    if (next === ".") return setOf((code) => code !== 10 && code !== 13);
    return setOf((code) => code === next.charCodeAt(0));
  }

  #escaped(): CharacterSet | null {
    const next = this.#source[this.#position + 1] ?? "";
    this.#position += 2;
    const named = namedSets[next.toLowerCase()];
    if (named !== undefined) return setOf((code) => named(code) === (next === next.toLowerCase()));
    return /[\^$\\.*+?()[\]{}|/]/.test(next) ? setOf((code) => code === next.charCodeAt(0)) : null;
  }

  #bracketed(): CharacterSet | null {
    this.#position++;
    const isNegated = this.#peek() === "^";
    if (isNegated) this.#position++;
    const members = Array.from({ length: 128 }, () => false);
    for (;;) {
      const next = this.#peek();
      if (next === "" || next > "\x7f") return null;
      if (next === "]") break;
      const low = next === "\\" ? this.#escaped() : setOf((code) => code === next.charCodeAt(0));
      if (low === null) return null;
      if (next !== "\\") this.#position++;
      const isRange = this.#peek() === "-" && this.#source[this.#position + 1] !== "]";
      const end = isRange ? (this.#source[this.#position + 1] ?? "") : "";
      if (isRange && (next === "\\" || end === "\\" || end < next || end > "\x7f")) return null;
      if (isRange) this.#position += 2;
      for (const code of members.keys()) {
        const isWithin = code >= next.charCodeAt(0) && code <= end.charCodeAt(0);
        if (isRange ? isWithin : low[code]) members[code] = true;
      }
    }
    this.#position++;
    return members.map((each) => each !== isNegated);
  }
}

const namedSets: Readonly<Record<string, (code: number) => boolean>> = {
  d: (code) => code >= 48 && code <= 57,
  w: (code) => /\w/.test(String.fromCharCode(code)),
  s: (code) => /\s/.test(String.fromCharCode(code)),
};

function setOf(has: (code: number) => boolean): CharacterSet {
  return Array.from({ length: 128 }, (_, code) => has(code));
}

/** The only character of a set; −1: it has others. */
function onlyOf(members: CharacterSet): number {
  const first = members.indexOf(true);
  return first >= 0 && members.indexOf(true, first + 1) < 0 ? first : -1;
}

const headerBytes = 16;
const encoder = new TextEncoder();

function encode(branches: Branches, group: number): Uint8Array {
  const code: Instruction[] = [];
  const put = (op: number, value = 0, more: Pick<Instruction, "members" | "text"> = {}): number =>
    code.push({ op, value, argument: 0, ...more }) - 1;
  const patch = (index: number) => {
    const entry = code[index];
    if (entry !== undefined) entry.argument = code.length;
  };
  const putBranches = (each: Branches): void => {
    const jumps: number[] = [];
    for (const [index, pieces] of each.entries()) {
      const split = index === each.length - 1 ? -1 : put(operation.split);
      putPieces(pieces);
      if (split < 0) continue;
      jumps.push(put(operation.jump));
      patch(split);
    }
    for (const jump of jumps) patch(jump);
  };
  const putPieces = (pieces: readonly Piece[]): void => {
    for (let index = 0; index < pieces.length; index++) {
      const text = textAt(pieces, index);
      if (text.length > 1) {
        put(operation.text, text.length, { text });
        index += text.length - 1;
        continue;
      }
      const piece = pieces[index];
      if (piece !== undefined) putPiece(piece);
    }
  };
  const putPiece = (piece: Piece): void => {
    if (piece.kind === "start") put(operation.start);
    else if (piece.kind === "end") put(operation.end);
    else if (piece.kind === "group") {
      const isWanted = piece.number === group;
      if (isWanted) put(operation.save, 0);
      putBranches(piece.branches);
      if (isWanted) put(operation.save, 1);
    } else if (piece.repeat === "*" || piece.repeat === "+") {
      const { members } = piece;
      put(operation.repeat, piece.repeat === "+" ? 1 : 0, { members });
    } else {
      const split = piece.repeat === "?" ? put(operation.split) : -1;
      const only = onlyOf(piece.members);
      if (only >= 0) put(operation.character, only);
      else put(operation.set, 0, { members: piece.members });
      if (split >= 0) patch(split);
    }
  };
  if (group === 0) put(operation.save, 0);
  putBranches(branches);
  if (group === 0) put(operation.save, 1);
  put(operation.match);
  return assemble(code, neededText(branches));
}

/** The characters that follow each other from a piece on, each alone in its place. */
function textAt(pieces: readonly Piece[], index: number): string {
  let text = "";
  for (const piece of pieces.slice(index, index + textLengthMax)) {
    const only = piece.kind === "set" && piece.repeat === "" ? onlyOf(piece.members) : -1;
    if (only < 0) break;
    text += String.fromCharCode(only);
  }
  return text;
}

function assemble(
  code: readonly Instruction[],
  needed: { readonly text: string; readonly before: number },
): Uint8Array {
  const setsAt = headerBytes + 8 * code.length;
  const setCount = code.filter(({ members }) => members !== undefined).length;
  const textsAt = setsAt + 16 * setCount;
  const texts = [needed.text, ...code.map(({ text = "" }) => text)].join("");
  const bytes = new Uint8Array(textsAt + texts.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, needed.text.length, true);
  view.setUint32(4, textsAt, true);
  view.setInt32(8, needed.before, true);
  view.setUint32(12, headerBytes, true);
  bytes.set(encoder.encode(texts), textsAt);
  let set = setsAt;
  let textAt = textsAt + needed.text.length;
  for (const [index, { op, value, argument, members, text }] of code.entries()) {
    const at = headerBytes + 8 * index;
    const isTarget = op === operation.split || op === operation.jump;
    view.setUint8(at, op);
    view.setUint8(at + 1, value);
    view.setUint32(at + 4, isTarget ? headerBytes + 8 * argument : argument, true);
    if (text !== undefined) {
      view.setUint32(at + 4, textAt, true);
      textAt += text.length;
    }
    if (members === undefined) continue;
    view.setUint32(at + 4, set, true);
    for (const [character, isMember] of members.entries()) {
      const byte = set + (character >> 3);
      if (isMember) view.setUint8(byte, view.getUint8(byte) | (1 << (character & 7)));
    }
    set += 16;
  }
  return bytes;
}

/** The longest text that stands in each match, and how much can stand before it; −1: any length. */
function neededText(branches: Branches): { readonly text: string; readonly before: number } {
  let longest = { text: "", before: -1 };
  const [pieces = []] = branches;
  if (branches.length > 1) return longest;
  let before = 0;
  let text = "";
  for (const piece of pieces) {
    const only = piece.kind === "set" && piece.repeat === "" ? onlyOf(piece.members) : -1;
    if (only >= 0) {
      text += String.fromCharCode(only);
      if (text.length > longest.text.length) {
        longest = { text, before: Number.isFinite(before) ? before : -1 };
      }
      continue;
    }
    before += text.length + lengthMax(piece);
    text = "";
  }
  return longest;
}

function lengthMax(piece: Piece): number {
  if (piece.kind === "start" || piece.kind === "end") return 0;
  if (piece.kind === "set") return piece.repeat === "*" || piece.repeat === "+" ? Infinity : 1;
  const lengths = piece.branches.map((each) =>
    each.reduce((sum, inner) => sum + lengthMax(inner), 0),
  );
  return Math.max(...lengths);
}
