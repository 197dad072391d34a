/** What a statement is checked with, and how it complains. */

import { nearest } from "../../base/near.ts";
import type { QueryPlan, WindowRankNode } from "../plan/plan.ts";
import type { Query } from "../syntax/ast.ts";
import type { AstNode, Span } from "../syntax/node.ts";
import { SqlError } from "../syntax/sql-error.ts";
import type { Catalog } from "./catalog.ts";
import type { Relation } from "./relation.ts";
import type { SubqueryAnswers } from "./subquery-answers.ts";

export interface CheckOptions {
  readonly catalog: Catalog;
  /** Of the session; an IANA name, an offset or UTC. */
  readonly timeZone: string;
  /** Whether the query reads what is there and ends: ORDER BY and LIMIT need that. */
  readonly isBounded: boolean;
  /** Of a statement that ends: subqueries that stand for values, which are run before it. */
  readonly subqueries?: SubqueryAnswers;
  /** Plans a query on its own; set by `planQuery`. */
  readonly planAlone?: (context: CheckContext, query: Query) => QueryPlan;
}

/** Bounds that a query around ROW_NUMBER() sets, until the rank node is made final. */
export interface RankBounds {
  from: number;
  to: number;
  readonly at: Span;
  readonly context: CheckContext;
}

const viewDepthMax = 32;

export class CheckContext {
  readonly text: string;
  readonly options: CheckOptions;
  readonly commonTables: ReadonlyMap<string, () => Relation>;
  readonly ranks: Map<WindowRankNode, RankBounds>;
  readonly depth: number;

  constructor(
    text: string,
    options: CheckOptions,
    commonTables: ReadonlyMap<string, () => Relation> = new Map(),
    ranks: Map<WindowRankNode, RankBounds> = new Map(),
    depth = 0,
  ) {
    this.text = text;
    this.options = options;
    this.commonTables = commonTables;
    this.ranks = ranks;
    this.depth = depth;
  }

  /** The same statement with the names of WITH. */
  withTables(commonTables: ReadonlyMap<string, () => Relation>): CheckContext {
    return new CheckContext(this.text, this.options, commonTables, this.ranks, this.depth);
  }

  /** The text of a view, whose names are the catalog's only. */
  inside(text: string, node: AstNode, name: string): CheckContext {
    if (this.depth >= viewDepthMax) {
      this.fail(node, `views are nested more than ${viewDepthMax} deep at "${name}"`);
    }
    return new CheckContext(text, this.options, new Map(), this.ranks, this.depth + 1);
  }

  fail(node: AstNode, problem: string, suggestion: string | null = null): never {
    throw new SqlError({ code: "sql_invalid", text: this.text, at: node.at, problem, suggestion });
  }

  /** Valid SQL that we do not run yet. */
  refuse(node: AstNode, problem: string): never {
    throw new SqlError({ code: "sql_unsupported", text: this.text, at: node.at, problem });
  }

  failUnknown(node: AstNode, problem: string, word: string, known: Iterable<string>): never {
    this.fail(node, problem, nearest(word, known));
  }
}
