/**
 * Queries and expressions as the parser leaves them: names are not resolved, nothing has a type
 * yet. `at` is where a node's text lies in the statement, in UTF-16 code units, so that every later
 * complaint can point at it. What several spellings mean alike has one form here: SUBSTRING(x FROM
 * 1 FOR 2) is the call SUBSTRING(x, 1, 2), TUMBLE(bids, ts, …) has a table argument and a
 * descriptor, INTERVAL '10 seconds' is INTERVAL '10' SECOND. Statements: `statement.ts`.
 */
import type { AstNode, Identifier, NamePath, Span } from "./node.ts";
import type { IntervalUnit, TypeNode } from "./type-node.ts";

// ── Queries ─────────────────────────────────────────────────────────────────────────────────────

export interface Query extends AstNode {
  readonly with: readonly CommonTable[];
  readonly body: QueryBody;
  readonly orderBy: readonly SortItem[];
  readonly limit: Count | null;
  readonly offset: Count | null;
  /** Only at the end of a statement's own query, never in a subquery. */
  readonly emit: Emit | null;
  /** ALLOWED LATENESS INTERVAL …; same place. */
  readonly allowedLateness: IntervalLiteral | null;
}

export interface CommonTable extends AstNode {
  readonly name: Identifier;
  readonly columns: readonly Identifier[];
  readonly query: Query;
}

/** A row count: LIMIT n, OFFSET n, FETCH FIRST n ROWS ONLY. */
export interface Count extends AstNode {
  readonly value: number;
}

export type Emit =
  | (AstNode & { readonly mode: "final" })
  | (AstNode & { readonly mode: "changes" })
  | (AstNode & { readonly mode: "periodic"; readonly every: IntervalLiteral });

export type QueryBody = Select | Values | SetOperation | NestedQuery;

export interface Select extends AstNode {
  readonly kind: "select";
  readonly isDistinct: boolean;
  readonly items: readonly SelectItem[];
  /** Tables joined by commas are cross joins here. Null: SELECT without FROM. */
  readonly from: TableReference | null;
  readonly where: Expression | null;
  /** Null: no GROUP BY. */
  readonly groupBy: readonly GroupItem[] | null;
  readonly having: Expression | null;
  /** WINDOW name AS (…), …. */
  readonly windows: readonly NamedWindow[];
}

export type SelectItem =
  | (AstNode & {
      readonly kind: "expression";
      readonly expression: Expression;
      readonly alias: Identifier | null;
    })
  /** `*`, `t.*` and, of a row, `t.r.*`. */
  | (AstNode & { readonly kind: "star"; readonly of: NamePath | null });

export type GroupItem =
  | (AstNode & { readonly kind: "expression"; readonly expression: Expression })
  /** ROLLUP (…), CUBE (…); a member in parentheses counts as one. */
  | (AstNode & {
      readonly kind: "rollup" | "cube";
      readonly members: readonly (readonly Expression[])[];
    })
  | (AstNode & { readonly kind: "groupingSets"; readonly sets: readonly GroupItem[] })
  /** `()` or, in GROUPING SETS, `(a, b)`. */
  | (AstNode & { readonly kind: "set"; readonly expressions: readonly Expression[] });

export interface NamedWindow extends AstNode {
  readonly name: Identifier;
  readonly window: OverWindow;
}

export interface Values extends AstNode {
  readonly kind: "values";
  /** At least one row of at least one expression; rows may differ in length. */
  readonly rows: readonly (readonly Expression[])[];
}

export interface SetOperation extends AstNode {
  readonly kind: "setOperation";
  readonly operator: "union" | "intersect" | "except";
  readonly isAll: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
}

/** A query in parentheses where a SELECT may stand. */
export interface NestedQuery extends AstNode {
  readonly kind: "nested";
  readonly query: Query;
}

export interface SortItem extends AstNode {
  readonly expression: Expression;
  readonly isDescending: boolean;
  readonly nulls: "first" | "last" | null;
}

// ── Tables in FROM ──────────────────────────────────────────────────────────────────────────────

export type TableReference = NamedTable | DerivedTable | TableFunction | Join;

export interface TableAlias extends AstNode {
  readonly name: Identifier;
  readonly columns: readonly Identifier[];
}

export interface NamedTable extends AstNode {
  readonly kind: "table";
  readonly name: NamePath;
  readonly alias: TableAlias | null;
  /** FOR SYSTEM_TIME AS OF expression. */
  readonly asOf: Expression | null;
}

/** A subquery in FROM, VALUES in parentheses among them. */
export interface DerivedTable extends AstNode {
  readonly kind: "derived";
  readonly isLateral: boolean;
  readonly query: Query;
  readonly alias: TableAlias | null;
}

/** `TUMBLE(…)` or `TABLE(TUMBLE(…))`, which mean the same. */
export interface TableFunction extends AstNode {
  readonly kind: "tableFunction";
  readonly isLateral: boolean;
  readonly name: Identifier;
  readonly args: readonly TableFunctionArgument[];
  readonly alias: TableAlias | null;
}

export interface TableFunctionArgument extends AstNode {
  /** `SIZE => …`: SIZE. All arguments of a call are named or none is. */
  readonly name: Identifier | null;
  readonly value: Expression | TableArgument | Descriptor;
}

/** `TABLE t [PARTITION BY k, …] [ORDER BY …]`, a subquery, or the first name of the short form. */
export interface TableArgument extends AstNode {
  readonly kind: "tableArgument";
  readonly table: NamePath | Query;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortItem[];
}

/** `DESCRIPTOR(column, …)`, or the second name of the short form. */
export interface Descriptor extends AstNode {
  readonly kind: "descriptor";
  readonly columns: readonly NamePath[];
}

export interface Join extends AstNode {
  readonly kind: "join";
  /** `cross` also stands for a comma. */
  readonly joinType: "inner" | "left" | "right" | "full" | "cross";
  readonly isNatural: boolean;
  readonly left: TableReference;
  readonly right: TableReference;
  readonly on: Expression | null;
  /** Empty without USING. */
  readonly using: readonly Identifier[];
}

// ── Expressions ─────────────────────────────────────────────────────────────────────────────────

export type Expression =
  | Literal
  | Name
  | Unary
  | Binary
  | IsTest
  | Between
  | InList
  | InQuery
  | Like
  | Case
  | Cast
  | Call
  | Trim
  | UnitArgument
  | RowValue
  | ArrayValue
  | MapValue
  | ElementAccess
  | FieldAccess
  | Exists
  | ScalarSubquery
  | JsonPathCall
  | JsonObject
  | JsonArray;

export type Literal =
  | NumberLiteral
  | StringLiteral
  | BinaryLiteral
  | BooleanLiteral
  | NullLiteral
  | DatetimeLiteral
  | IntervalLiteral;

/** `text` as written: 1, 1.50 (a DECIMAL), 1E3 (a DOUBLE). Never signed. */
export interface NumberLiteral extends AstNode {
  readonly kind: "number";
  readonly text: string;
}

export interface StringLiteral extends AstNode {
  readonly kind: "string";
  readonly value: string;
}

/** X'0aff'; an even number of hexadecimal digits. */
export interface BinaryLiteral extends AstNode {
  readonly kind: "binaryString";
  readonly hex: string;
}

export interface BooleanLiteral extends AstNode {
  readonly kind: "boolean";
  readonly value: boolean;
}

/** NULL, and UNKNOWN, which is a BOOLEAN's NULL. */
export interface NullLiteral extends AstNode {
  readonly kind: "null";
}

/** DATE '…', TIME '…', TIMESTAMP '…'. The parser has checked that it is one and that it exists. */
export interface DatetimeLiteral extends AstNode {
  readonly kind: "datetime";
  readonly type: "date" | "time" | "timestamp";
  readonly text: string;
  /** Days since 1970 for a date, else milliseconds (of the day; since 1970). */
  readonly value: number;
  /** Digits after the second: the p of TIME(p) and TIMESTAMP(p). At most 9. */
  readonly fractionDigits: number;
}

export interface IntervalLiteral extends AstNode {
  readonly kind: "interval";
  /** Without a sign and without unit words: `10`, `1-2`, `1 10:00:00.5`. */
  readonly text: string;
  readonly isNegative: boolean;
  readonly from: IntervalUnit;
  /** `MINUTE` in HOUR TO MINUTE; null for a single unit. */
  readonly to: IntervalUnit | null;
  /** Signed: months when `from` is YEAR, QUARTER or MONTH, else milliseconds. */
  readonly value: number;
}

/** A column, or a field of a ROW in one, or a column of a table: the checker tells. */
export interface Name extends AstNode {
  readonly kind: "name";
  readonly parts: readonly Identifier[];
}

export interface Unary extends AstNode {
  readonly kind: "unary";
  readonly operator: "NOT" | "-" | "+";
  readonly operand: Expression;
}

export type BinaryOperator =
  | "OR"
  | "AND"
  | "="
  | "<>"
  | "<"
  | "<="
  | ">"
  | ">="
  | "IS DISTINCT FROM"
  | "IS NOT DISTINCT FROM"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "||";

/** `!=` is `<>` here. Left to right. */
export interface Binary extends AstNode {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  /** Where the operator stands. */
  readonly operatorAt: Span;
  readonly left: Expression;
  readonly right: Expression;
}

/** `x IS [NOT] NULL | TRUE | FALSE | UNKNOWN | JSON …`. */
export interface IsTest extends AstNode {
  readonly kind: "is";
  readonly operand: Expression;
  readonly test:
    | "NULL"
    | "TRUE"
    | "FALSE"
    | "UNKNOWN"
    | "JSON"
    | "JSON VALUE"
    | "JSON OBJECT"
    | "JSON ARRAY"
    | "JSON SCALAR";
  readonly isNegated: boolean;
}

export interface Between extends AstNode {
  readonly kind: "between";
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
  readonly isSymmetric: boolean;
  readonly isNegated: boolean;
}

export interface InList extends AstNode {
  readonly kind: "inList";
  readonly operand: Expression;
  readonly items: readonly Expression[];
  readonly isNegated: boolean;
}

export interface InQuery extends AstNode {
  readonly kind: "inQuery";
  readonly operand: Expression;
  readonly query: Query;
  readonly isNegated: boolean;
}

export interface Like extends AstNode {
  readonly kind: "like";
  readonly operator: "LIKE" | "SIMILAR TO";
  readonly operand: Expression;
  readonly pattern: Expression;
  readonly escape: Expression | null;
  readonly isNegated: boolean;
}

export interface Case extends AstNode {
  readonly kind: "case";
  /** CASE x WHEN …: x; null for CASE WHEN …. */
  readonly operand: Expression | null;
  readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
  readonly otherwise: Expression | null;
}

export interface Cast extends AstNode {
  readonly kind: "cast";
  readonly operand: Expression;
  readonly type: TypeNode;
  readonly isTry: boolean;
}

/**
 * A function by name, aggregates and CURRENT_TIMESTAMP among them. Also EXTRACT(unit, x), CEIL and
 * FLOOR(x, unit), TIMESTAMPADD and TIMESTAMPDIFF(unit, …), POSITION(a, b), SUBSTRING(x, from, for),
 * OVERLAY(x, by, from, for), from their spellings with words between the arguments.
 */
export interface Call extends AstNode {
  readonly kind: "call";
  /** As written; functions are found whatever the case. */
  readonly name: Identifier;
  readonly args: readonly Expression[];
  /** COUNT(*): no args and this. */
  readonly isStar: boolean;
  readonly isDistinct: boolean;
  /** FILTER (WHERE …). */
  readonly filter: Expression | null;
  /** WITHIN GROUP (ORDER BY …); empty without. */
  readonly withinGroup: readonly SortItem[];
  readonly nulls: "ignore" | "respect" | null;
  /** A window, or the name of one in WINDOW. */
  readonly over: OverWindow | Identifier | null;
}

export interface OverWindow extends AstNode {
  readonly kind: "over";
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortItem[];
  readonly frame: WindowFrame | null;
}

/** `ROWS BETWEEN low AND high`; `ROWS low` has CURRENT ROW as `high`. */
export interface WindowFrame extends AstNode {
  readonly unit: "ROWS" | "RANGE";
  readonly low: FrameBound;
  readonly high: FrameBound;
}

export type FrameBound = AstNode &
  (
    | { readonly kind: "unboundedPreceding" | "unboundedFollowing" | "currentRow" }
    | { readonly kind: "preceding" | "following"; readonly distance: Expression }
  );

/** `TRIM([BOTH | LEADING | TRAILING] [characters] [FROM] operand)`. */
export interface Trim extends AstNode {
  readonly kind: "trim";
  readonly side: "BOTH" | "LEADING" | "TRAILING";
  /** Null: spaces. */
  readonly characters: Expression | null;
  readonly operand: Expression;
}

export type TimeUnit =
  | IntervalUnit
  | "MILLENNIUM"
  | "CENTURY"
  | "DECADE"
  | "DOY"
  | "DOW"
  | "ISODOW"
  | "ISOYEAR"
  | "EPOCH"
  | "MILLISECOND"
  | "MICROSECOND"
  | "NANOSECOND";

/** A unit of time where a function takes one; only among the args of a call. */
export interface UnitArgument extends AstNode {
  readonly kind: "unit";
  readonly unit: TimeUnit;
}

/** `ROW(a, b)` and `(a, b)`. */
export interface RowValue extends AstNode {
  readonly kind: "row";
  readonly items: readonly Expression[];
}

/** `ARRAY[a, b]`. */
export interface ArrayValue extends AstNode {
  readonly kind: "array";
  readonly items: readonly Expression[];
}

/** `MAP[k, v, k, v]`. */
export interface MapValue extends AstNode {
  readonly kind: "map";
  readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
}

/** `x[1]`. */
export interface ElementAccess extends AstNode {
  readonly kind: "element";
  readonly operand: Expression;
  readonly index: Expression;
}

/** `(x).field`; fields of plain names are parts of the Name. */
export interface FieldAccess extends AstNode {
  readonly kind: "field";
  readonly operand: Expression;
  readonly field: Identifier;
}

export interface Exists extends AstNode {
  readonly kind: "exists";
  readonly query: Query;
}

/** A subquery where a value is wanted. */
export interface ScalarSubquery extends AstNode {
  readonly kind: "subquery";
  readonly query: Query;
}

/** JSON_VALUE, JSON_QUERY and JSON_EXISTS with their clauses; null: the clause is left out. */
export interface JsonPathCall extends AstNode {
  readonly kind: "jsonPath";
  readonly name: "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS";
  readonly input: Expression;
  readonly path: Expression;
  readonly returning: TypeNode | null;
  /** Only JSON_QUERY. */
  readonly wrapper: "without" | "conditional" | "unconditional" | null;
  readonly onEmpty: JsonBehavior | null;
  readonly onError: JsonBehavior | null;
}

export type JsonBehavior = AstNode &
  (
    | {
        readonly kind:
          | "null"
          | "error"
          | "emptyArray"
          | "emptyObject"
          | "true"
          | "false"
          | "unknown";
      }
    | { readonly kind: "default"; readonly expression: Expression }
  );

/** JSON_OBJECT([KEY] k VALUE v, … [NULL | ABSENT ON NULL]); JSON_OBJECTAGG has one entry. */
export interface JsonObject extends AstNode {
  readonly kind: "jsonObject";
  readonly isAggregate: boolean;
  readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
  /** Null: not given, which means `null` here and for arrays `absent`. */
  readonly onNull: "null" | "absent" | null;
}

/** JSON_ARRAY(v, … [NULL | ABSENT ON NULL]); JSON_ARRAYAGG has one item. */
export interface JsonArray extends AstNode {
  readonly kind: "jsonArray";
  readonly isAggregate: boolean;
  readonly items: readonly Expression[];
  readonly onNull: "null" | "absent" | null;
}
