/** Statements: see `ast.ts` for the queries and expressions in them. */
import type { Expression, Query, StringLiteral } from "./ast.ts";
import type { AstNode, Identifier, NamePath } from "./node.ts";
import type { TypeNode } from "./type-node.ts";

export type Statement =
  | CreateTable
  | CreateView
  | CreateMaterializedView
  | Insert
  | QueryStatement
  | Drop
  | Show
  | Describe
  | Explain
  | ControlQuery
  | SetOption
  | ResetOption;

/** CREATE STREAM | TABLE. */
export interface CreateTable extends AstNode {
  readonly kind: "createTable";
  readonly noun: "stream" | "table";
  readonly isTemporary: boolean;
  readonly ifNotExists: boolean;
  readonly name: NamePath;
  /** Empty: columns are inferred from recent records. */
  readonly columns: readonly ColumnDefinition[];
  /** PRIMARY KEY (…) NOT ENFORCED, also when written at its column. */
  readonly primaryKey: PrimaryKey | null;
  readonly watermark: Watermark | null;
  readonly comment: string | null;
  readonly options: readonly TableOption[];
}

export type ColumnDefinition = PhysicalColumn | MetadataColumn | ComputedColumn;

export interface PhysicalColumn extends AstNode {
  readonly kind: "physical";
  readonly name: Identifier;
  readonly type: TypeNode;
  readonly comment: string | null;
}

/** `name TYPE METADATA [FROM 'key'] [VIRTUAL]`. */
export interface MetadataColumn extends AstNode {
  readonly kind: "metadata";
  readonly name: Identifier;
  readonly type: TypeNode;
  /** The metadata key; the column's name when FROM is left out. */
  readonly from: StringLiteral | null;
  readonly isVirtual: boolean;
  readonly comment: string | null;
}

/** `name AS expression`. */
export interface ComputedColumn extends AstNode {
  readonly kind: "computed";
  readonly name: Identifier;
  readonly expression: Expression;
  readonly comment: string | null;
}

export interface PrimaryKey extends AstNode {
  readonly columns: readonly Identifier[];
}

/** `WATERMARK FOR column AS expression`. */
export interface Watermark extends AstNode {
  readonly column: NamePath;
  readonly expression: Expression;
}

/** `'key' = 'value'` of WITH (…). */
export interface TableOption extends AstNode {
  readonly key: StringLiteral;
  readonly value: StringLiteral;
}

export interface CreateView extends AstNode {
  readonly kind: "createView";
  readonly isTemporary: boolean;
  readonly ifNotExists: boolean;
  readonly name: NamePath;
  /** Names for the query's columns; empty: they keep their own. */
  readonly columns: readonly Identifier[];
  readonly query: Query;
}

export interface CreateMaterializedView extends AstNode {
  readonly kind: "createMaterializedView";
  readonly ifNotExists: boolean;
  readonly name: NamePath;
  readonly columns: readonly Identifier[];
  readonly primaryKey: PrimaryKey | null;
  readonly options: readonly TableOption[];
  readonly query: Query;
}

export interface Insert extends AstNode {
  readonly kind: "insert";
  readonly target: NamePath;
  /** Empty: all columns of the target in their order. */
  readonly columns: readonly Identifier[];
  /** SELECT or VALUES. */
  readonly query: Query;
}

export interface QueryStatement extends AstNode {
  readonly kind: "query";
  readonly query: Query;
}

export interface Drop extends AstNode {
  readonly kind: "drop";
  /** `query`: DROP QUERY id ends a running INSERT. */
  readonly noun: "stream" | "table" | "view" | "materialized view" | "query";
  readonly isTemporary: boolean;
  readonly ifExists: boolean;
  readonly name: NamePath;
}

export interface Show extends AstNode {
  readonly kind: "show";
  readonly what:
    | "tables"
    | "streams"
    | "views"
    | "materialized views"
    | "queries"
    | "functions"
    | "options"
    | "create";
  /** Only with `create`: SHOW CREATE TABLE | STREAM | VIEW | MATERIALIZED VIEW name. */
  readonly name: NamePath | null;
  /** SHOW … LIKE 'pattern'. */
  readonly like: StringLiteral | null;
}

export interface Describe extends AstNode {
  readonly kind: "describe";
  readonly isExtended: boolean;
  readonly name: NamePath;
}

export interface Explain extends AstNode {
  readonly kind: "explain";
  readonly statement: QueryStatement | Insert | CreateView | CreateMaterializedView;
}

/** PAUSE | RESUME QUERY id. */
export interface ControlQuery extends AstNode {
  readonly kind: "controlQuery";
  readonly act: "pause" | "resume";
  readonly name: NamePath;
}

/** SET 'key' = 'value'; SET alone shows all settings and is `show options`. */
export interface SetOption extends AstNode {
  readonly kind: "set";
  readonly key: StringLiteral;
  readonly value: StringLiteral;
}

/** RESET 'key'; `key` is null for all of them. */
export interface ResetOption extends AstNode {
  readonly kind: "reset";
  readonly key: StringLiteral | null;
}
