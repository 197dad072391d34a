/** The words of a statement, as `lexer.ts` finds them. */
export type TokenKind =
  | "word"
  | "quoted"
  | "string"
  | "binary"
  | "number"
  | "symbol"
  | "bad"
  | "end";

export interface Token {
  readonly kind: TokenKind;
  /**
   * A word or number as written, a symbol, the text of a quoted name or string without its quotes,
   * the digits of a binary string; what is wrong with a bad one.
   */
  readonly text: string;
  /** A word in upper case, which is how keywords are compared; else the text. */
  readonly upper: string;
  readonly start: number;
  readonly end: number;
}
