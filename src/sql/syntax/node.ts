/** What every node of the syntax tree has, and names. */

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface AstNode {
  readonly at: Span;
}

/** A name as it was written, without its quotes. Column and table names keep their case. */
export interface Identifier extends AstNode {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** A dotted name: `catalog.stream`, `bid.price`. At least one part. */
export interface NamePath extends AstNode {
  readonly parts: readonly Identifier[];
}
