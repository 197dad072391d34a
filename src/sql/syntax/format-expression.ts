/** Expressions as text, with the parentheses that their operators need and no others. */
import type {
  Call,
  Case,
  Expression,
  FrameBound,
  JsonBehavior,
  JsonObject,
  JsonPathCall,
  Like,
  OverWindow,
  Query,
  SortItem,
} from "./ast.ts";
import { intervalText, nameText, pathText, stringText, typeText } from "./format-parts.ts";
import { bareFunctions } from "./parse-call.ts";
import { precedenceOf, precedences } from "./precedence.ts";

/** Writes the queries in an expression: `format.ts` joins the two halves. */
export type QueryText = (query: Query) => string;

export function expressionText(expression: Expression, queryText: QueryText): string {
  return new ExpressionWriter(queryText).text(expression);
}

export function sortText(items: readonly SortItem[], queryText: QueryText): string {
  return new ExpressionWriter(queryText).sort(items);
}

export function overText(window: OverWindow, queryText: QueryText): string {
  return new ExpressionWriter(queryText).window(window);
}

class ExpressionWriter {
  readonly #query: QueryText;

  constructor(queryText: QueryText) {
    this.#query = queryText;
  }

  /** In parentheses when it binds looser than `least`. */
  text(expression: Expression, least: number = precedences.or): string {
    const bare = this.#bare(expression);
    return bindingOf(expression) < least ? `(${bare})` : bare;
  }

  list(expressions: readonly Expression[]): string {
    return expressions.map((each) => this.text(each)).join(", ");
  }

  sort(items: readonly SortItem[]): string {
    return items
      .map(({ expression, isDescending, nulls }) => {
        const order = nulls === null ? "" : ` NULLS ${nulls.toUpperCase()}`;
        return this.text(expression) + (isDescending ? " DESC" : "") + order;
      })
      .join(", ");
  }

  window({ partitionBy, orderBy, frame }: OverWindow): string {
    const parts: string[] = [];
    if (partitionBy.length > 0) parts.push(`PARTITION BY ${this.list(partitionBy)}`);
    if (orderBy.length > 0) parts.push(`ORDER BY ${this.sort(orderBy)}`);
    if (frame !== null) {
      const bounds = `BETWEEN ${this.#bound(frame.low)} AND ${this.#bound(frame.high)}`;
      parts.push(`${frame.unit} ${bounds}`);
    }
    return `(${parts.join(" ")})`;
  }

  #bare(expression: Expression): string {
    switch (expression.kind) {
      case "number":
        return expression.text;
      case "string":
        return stringText(expression.value);
      case "binaryString":
        return `X'${expression.hex}'`;
      case "boolean":
        return expression.value ? "TRUE" : "FALSE";
      case "null":
        return "NULL";
      case "datetime":
        return `${expression.type.toUpperCase()} ${stringText(expression.text)}`;
      case "interval":
        return intervalText(expression);
      case "name":
        return pathText(expression);
      case "unit":
        return expression.unit;
      case "call":
        return this.#call(expression);
      case "case":
        return this.#case(expression);
      default:
        return this.#operation(expression);
    }
  }

  #operation(expression: Exclude<Expression, Leaf>): string {
    switch (expression.kind) {
      case "unary": {
        if (expression.operator === "NOT") {
          return `NOT ${this.text(expression.operand, precedences.not)}`;
        }
        const operand = this.text(expression.operand, precedences.sign);
        // Two signs in a row would be a comment.
        return expression.operator + (/^[-+]/.test(operand) ? ` ${operand}` : operand);
      }
      case "binary": {
        const least = precedenceOf(expression.operator);
        const left = this.text(expression.left, least);
        return `${left} ${expression.operator} ${this.text(expression.right, least + 1)}`;
      }
      case "is": {
        const operand = this.text(expression.operand, precedences.is);
        return `${operand} IS ${expression.isNegated ? "NOT " : ""}${expression.test}`;
      }
      case "between": {
        const low = this.text(expression.low, precedences.add);
        const high = this.text(expression.high, precedences.add);
        const symmetric = expression.isSymmetric ? "SYMMETRIC " : "";
        return `${this.#ranged(expression, "BETWEEN")} ${symmetric}${low} AND ${high}`;
      }
      case "inList":
        return `${this.#ranged(expression, "IN")} (${this.list(expression.items)})`;
      case "inQuery":
        return `${this.#ranged(expression, "IN")} (${this.#query(expression.query)})`;
      case "like": {
        const pattern = this.text(expression.pattern, precedences.add);
        const head = `${this.#ranged(expression, expression.operator)} ${pattern}`;
        if (expression.escape === null) return head;
        return `${head} ESCAPE ${this.text(expression.escape, precedences.add)}`;
      }
      default:
        return this.#construct(expression);
    }
  }

  #ranged({ operand, isNegated }: Pick<Like, "operand" | "isNegated">, operator: string): string {
    return `${this.text(operand, precedences.range)} ${isNegated ? "NOT " : ""}${operator}`;
  }

  #construct(expression: Exclude<Expression, Leaf | Operation>): string {
    switch (expression.kind) {
      case "cast": {
        const word = expression.isTry ? "TRY_CAST" : "CAST";
        return `${word}(${this.text(expression.operand)} AS ${typeText(expression.type)})`;
      }
      case "trim": {
        const { side, characters, operand } = expression;
        const which = characters === null ? "" : `${this.text(characters)} `;
        return `TRIM(${side} ${which}FROM ${this.text(operand)})`;
      }
      case "row":
        return `ROW(${this.list(expression.items)})`;
      case "array":
        return `ARRAY[${this.list(expression.items)}]`;
      case "map":
        return `MAP[${this.list(expression.entries.flatMap(({ key, value }) => [key, value]))}]`;
      case "element":
        return `${this.#operand(expression.operand)}[${this.text(expression.index)}]`;
      case "field": {
        const { operand, field } = expression;
        // Without parentheses the field would become a part of the name.
        const isName = operand.kind === "name" || operand.kind === "number";
        const text = isName ? `(${this.text(operand)})` : this.#operand(operand);
        return `${text}.${nameText(field)}`;
      }
      case "exists":
        return `EXISTS (${this.#query(expression.query)})`;
      case "subquery":
        return `(${this.#query(expression.query)})`;
      case "jsonPath":
        return this.#jsonPath(expression);
      case "jsonObject": {
        const entries = expression.entries.map((entry) => this.#entry(entry));
        const name = expression.isAggregate ? "JSON_OBJECTAGG" : "JSON_OBJECT";
        return `${name}(${entries.join(", ")}${onNullText(expression.onNull)})`;
      }
      case "jsonArray": {
        const name = expression.isAggregate ? "JSON_ARRAYAGG" : "JSON_ARRAY";
        return `${name}(${this.list(expression.items)}${onNullText(expression.onNull)})`;
      }
    }
  }

  /**
   * A column called `key` would be taken for the word, which then has to stand before it; and the
   * VALUE after `x IS JSON` for a part of the test.
   */
  #entry({ key, value }: JsonObject["entries"][number]): string {
    const bare = this.text(key);
    const text = /\bIS (NOT )?JSON$/.test(bare) ? `(${bare})` : bare;
    return `${/^key\b/i.test(text) ? "KEY " : ""}${text} VALUE ${this.text(value)}`;
  }

  #operand(expression: Expression): string {
    return this.text(expression, precedences.primary);
  }

  #call(call: Call): string {
    const name = nameOf(call);
    if (isBare(call)) return name;
    const parts = [`${name}(${this.#arguments(call)})`];
    if (call.withinGroup.length > 0) {
      parts.push(`WITHIN GROUP (ORDER BY ${this.sort(call.withinGroup)})`);
    }
    if (call.nulls !== null) parts.push(`${call.nulls.toUpperCase()} NULLS`);
    if (call.filter !== null) parts.push(`FILTER (WHERE ${this.text(call.filter)})`);
    if (call.over !== null) {
      const isWindow = "kind" in call.over;
      parts.push(`OVER ${isWindow ? this.window(call.over) : nameText(call.over)}`);
    }
    return parts.join(" ");
  }

  #arguments({ name, args, isStar, isDistinct }: Call): string {
    if (isStar) return "*";
    const [first, second] = args;
    if (first !== undefined && second !== undefined) {
      if (name.text.toUpperCase() === "EXTRACT")
        return `${this.text(first)} FROM ${this.text(second)}`;
      if (second.kind === "unit") return `${this.text(first)} TO ${this.text(second)}`;
    }
    return (isDistinct ? "DISTINCT " : "") + this.list(args);
  }

  #case({ operand, branches, otherwise }: Case): string {
    const parts = ["CASE"];
    if (operand !== null) parts.push(this.text(operand));
    for (const { when, result } of branches) {
      parts.push(`WHEN ${this.text(when)} THEN ${this.text(result)}`);
    }
    if (otherwise !== null) parts.push(`ELSE ${this.text(otherwise)}`);
    return [...parts, "END"].join(" ");
  }

  #jsonPath(call: JsonPathCall): string {
    const parts = [`${this.text(call.input)}, ${this.text(call.path)}`];
    if (call.returning !== null) parts.push(`RETURNING ${typeText(call.returning)}`);
    if (call.wrapper !== null) {
      const isWithout = call.wrapper === "without";
      parts.push(`${isWithout ? "WITHOUT" : `WITH ${call.wrapper.toUpperCase()}`} ARRAY WRAPPER`);
    }
    if (call.onEmpty !== null) parts.push(`${this.#behavior(call.onEmpty)} ON EMPTY`);
    if (call.onError !== null) parts.push(`${this.#behavior(call.onError)} ON ERROR`);
    return `${call.name}(${parts.join(" ")})`;
  }

  #behavior(behavior: JsonBehavior): string {
    if (behavior.kind === "default") return `DEFAULT ${this.text(behavior.expression)}`;
    if (behavior.kind === "emptyArray") return "EMPTY ARRAY";
    if (behavior.kind === "emptyObject") return "EMPTY OBJECT";
    return behavior.kind.toUpperCase();
  }

  #bound(bound: FrameBound): string {
    switch (bound.kind) {
      case "currentRow":
        return "CURRENT ROW";
      case "unboundedPreceding":
        return "UNBOUNDED PRECEDING";
      case "unboundedFollowing":
        return "UNBOUNDED FOLLOWING";
      default: {
        const distance = this.text(bound.distance, precedences.add);
        return `${distance} ${bound.kind.toUpperCase()}`;
      }
    }
  }
}

type OfKind<K extends Expression["kind"]> = Extract<Expression, { readonly kind: K }>;
type Leaf = OfKind<
  | "number"
  | "string"
  | "binaryString"
  | "boolean"
  | "null"
  | "datetime"
  | "interval"
  | "name"
  | "unit"
  | "call"
  | "case"
>;
type Operation = OfKind<"unary" | "binary" | "is" | "between" | "inList" | "inQuery" | "like">;

/** How tight the operator at the top of `expression` binds. */
function bindingOf(expression: Expression): number {
  switch (expression.kind) {
    case "unary":
      return expression.operator === "NOT" ? precedences.not : precedences.sign;
    case "binary":
      return precedenceOf(expression.operator);
    case "is":
      return precedences.is;
    case "between":
    case "inList":
    case "inQuery":
    case "like":
      return precedences.range;
    default:
      return precedences.primary;
  }
}

/** LEFT and RIGHT are reserved words but, before a parenthesis, functions. */
function nameOf({ name }: Call): string {
  return name.isQuoted ? nameText(name) : name.text;
}

function isBare({ name, args, isStar }: Call): boolean {
  const isKnown = !name.isQuoted && bareFunctions.has(name.text.toUpperCase());
  return isKnown && args.length === 0 && !isStar;
}

function onNullText(onNull: "null" | "absent" | null): string {
  return onNull === null ? "" : ` ${onNull.toUpperCase()} ON NULL`;
}
