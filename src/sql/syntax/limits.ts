/** Bounds of statements, each with its reason. */

/** Characters of one statement: it is kept in the catalog and travels in one request. */
export const statementLengthMax = 1024 * 1024;
/** Characters of a script. */
export const scriptLengthMax = 16 * 1024 * 1024;
/** Statements of a script. */
export const scriptStatementsMax = 10_000;
/**
 * Parentheses, subqueries, CASEs and types within each other. Each costs the parser about ten stack
 * frames; the smallest stack that we run on, a worker thread's, holds many times as many.
 */
export const nestingDepthMax = 200;
/**
 * Height of the tree. Chains such as `a + b + c …` grow it without nesting, and whoever walks it
 * after us recurses. SQLite refuses expressions higher than 1 000, and lowering makes some of them
 * higher.
 */
export const treeHeightMax = 500;
/** Candidates that completion returns. */
export const completionsMax = 200;
