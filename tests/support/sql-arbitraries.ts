/** Random syntax trees such as the parser makes, without spans. */
import * as fc from "fast-check";

/** Trees are plain objects here: what is compared with them has lost its spans as well. */
type Tree = Readonly<Record<string, unknown>>;
type Arbitrary = fc.Arbitrary<Tree>;

const plainNames = "a b price bidder ts window_start größe Total x1 timestamp key value".split(" ");

const identifier: Arbitrary = fc.oneof(
  fc.constantFrom(...plainNames).map((text) => ({ text, isQuoted: false })),
  fc
    .oneof(
      fc.constantFrom("order", "my name", "select", "日本", "a`b", 'a"b', "1a", "--"),
      fc.string(),
    )
    .filter((text) => text !== "")
    .map((text) => ({ text, isQuoted: true })),
);
const path = fc.array(identifier, { minLength: 1, maxLength: 3 }).map((parts) => ({ parts }));
const few = <T>(item: fc.Arbitrary<T>, minLength = 1) =>
  fc.array(item, { minLength, maxLength: 3 });
const maybe = <T>(item: fc.Arbitrary<T>) => fc.option(item, { freq: 1 });

const string = fc
  .oneof(fc.constantFrom("", "it's", "a;b", "--x", "/*", "\n", "\\", "$.a"), fc.string())
  .map((value) => ({ kind: "string", value }));

const interval = fc.constantFrom<Tree>(
  { text: "10", from: "SECOND", to: null, value: 10_000 },
  { text: "0.5", from: "SECOND", to: null, value: 500 },
  { text: "1-2", from: "YEAR", to: "MONTH", value: 14 },
  { text: "1 10:00:00.5", from: "DAY", to: "SECOND", value: 122_400_500 },
  { text: "10:20", from: "HOUR", to: "MINUTE", value: 37_200_000 },
  { text: "3", from: "QUARTER", to: null, value: 9 },
);
const signedInterval = fc.tuple(interval, fc.boolean()).map(([tree, isNegative]) => ({
  kind: "interval",
  ...tree,
  isNegative,
  value: isNegative ? -Number(tree["value"]) : tree["value"],
}));

const literal: Arbitrary = fc.oneof(
  fc.constantFrom("0", "42", "1.50", ".5", "1E3", "9223372036854775808").map((text) => ({
    kind: "number",
    text,
  })),
  string,
  fc.constantFrom("", "0aff").map((hex) => ({ kind: "binaryString", hex })),
  fc.boolean().map((value) => ({ kind: "boolean", value })),
  fc.constant({ kind: "null" }),
  signedInterval,
  fc.constantFrom<Tree>(
    { kind: "datetime", type: "date", text: "1969-12-31", value: -1, fractionDigits: 0 },
    { kind: "datetime", type: "time", text: "00:00:01.25", value: 1250, fractionDigits: 2 },
    {
      kind: "datetime",
      type: "timestamp",
      text: "1970-01-02 00:00:00",
      value: 86_400_000,
      fractionDigits: 0,
    },
  ),
);

const scalarType = fc.constantFrom<Tree>(
  { kind: "scalar", name: "INT", parameters: [] },
  { kind: "scalar", name: "DECIMAL", parameters: [38, 18] },
  { kind: "scalar", name: "VARCHAR", parameters: [10] },
  { kind: "scalar", name: "TIMESTAMP_LTZ", parameters: [3] },
  { kind: "scalar", name: "STRING", parameters: [] },
  { kind: "interval", from: "DAY", to: "SECOND" },
  { kind: "interval", from: "YEAR", to: null },
);

function types(inner: Arbitrary): Arbitrary {
  const field = fc.record({
    name: identifier,
    type: inner,
    comment: maybe(fc.constantFrom("it's")),
  });
  const bare: Arbitrary = fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    scalarType,
    few(field).map((fields) => ({ kind: "row", fields })),
    fc.record({ kind: fc.constantFrom("array", "multiset"), element: inner }),
    fc.record({ kind: fc.constant("map"), key: inner, value: inner }),
  );
  return fc.tuple(bare, fc.boolean()).map(([tree, isNullable]) => ({ ...tree, isNullable }));
}

function operators(inner: Arbitrary, queryOf: Arbitrary): Arbitrary {
  const isNegated = fc.boolean();
  const binary = "OR AND = <> < <= > >= + - * / % ||".split(" ");
  return fc.oneof<fc.Arbitrary<Tree>[]>(
    fc.record({
      kind: fc.constant("unary"),
      operator: fc.constantFrom("NOT", "-", "+"),
      operand: inner,
    }),
    fc.record({
      kind: fc.constant("binary"),
      operator: fc.constantFrom(...binary, "IS DISTINCT FROM", "IS NOT DISTINCT FROM"),
      left: inner,
      right: inner,
    }),
    fc.record({
      kind: fc.constant("is"),
      operand: inner,
      test: fc.constantFrom("NULL", "TRUE", "FALSE", "UNKNOWN", "JSON", "JSON ARRAY"),
      isNegated,
    }),
    fc.record({
      kind: fc.constant("between"),
      operand: inner,
      low: inner,
      high: inner,
      isSymmetric: fc.boolean(),
      isNegated,
    }),
    fc.record({ kind: fc.constant("inList"), operand: inner, items: few(inner), isNegated }),
    fc.record({
      kind: fc.constant("inQuery"),
      operand: inner,
      query: asSubquery(queryOf),
      isNegated,
    }),
    fc.record({
      kind: fc.constant("like"),
      operator: fc.constantFrom("LIKE", "SIMILAR TO"),
      operand: inner,
      pattern: inner,
      escape: maybe(inner),
      isNegated,
    }),
  );
}

function sortItems(inner: Arbitrary): fc.Arbitrary<readonly Tree[]> {
  const item = fc.record({
    expression: inner,
    isDescending: fc.boolean(),
    nulls: fc.constantFrom(null, "first", "last"),
  });
  return fc.array(item, { maxLength: 2 });
}

function overWindow(inner: Arbitrary): Arbitrary {
  const bound = fc.oneof<fc.Arbitrary<Tree>[]>(
    fc
      .constantFrom("unboundedPreceding", "unboundedFollowing", "currentRow")
      .map((kind) => ({ kind })),
    fc.record({
      kind: fc.constantFrom("preceding", "following"),
      distance: fc.oneof(signedInterval, inner),
    }),
  );
  return fc.record({
    kind: fc.constant("over"),
    partitionBy: fc.array(inner, { maxLength: 2 }),
    orderBy: sortItems(inner),
    frame: maybe(fc.record({ unit: fc.constantFrom("ROWS", "RANGE"), low: bound, high: bound })),
  });
}

const plainCall = {
  isStar: false,
  isDistinct: false,
  filter: null,
  withinGroup: [],
  nulls: null,
  over: null,
};
const unquoted = (text: string) => ({ text, isQuoted: false });

function calls(inner: Arbitrary, typeOf: Arbitrary): Arbitrary {
  const unit = fc
    .constantFrom("DAY", "HOUR", "EPOCH")
    .map((each) => ({ kind: "unit", unit: each }));
  const behavior: Arbitrary = fc.oneof(
    fc.constantFrom("null", "error").map((kind) => ({ kind })),
    fc.record({ kind: fc.constant("default"), expression: inner }),
  );
  return fc.oneof<fc.Arbitrary<Tree>[]>(
    fc.record({
      kind: fc.constant("call"),
      name: fc.oneof(fc.constantFrom("SUM", "count", "LEFT", "my_f").map(unquoted), identifier),
      args: few(inner),
      isStar: fc.constant(false),
      isDistinct: fc.boolean(),
      filter: maybe(inner),
      withinGroup: sortItems(inner),
      nulls: fc.constantFrom(null, "ignore", "respect"),
      over: fc.oneof(fc.constant(null), overWindow(inner), identifier),
    }),
    fc.constantFrom("COUNT", "CURRENT_DATE").map((name) => ({
      kind: "call",
      name: unquoted(name),
      args: [],
      ...plainCall,
      isStar: name === "COUNT",
    })),
    fc
      .tuple(unit, inner)
      .map((args) => ({ kind: "call", name: unquoted("EXTRACT"), args, ...plainCall })),
    fc.tuple(identifier, unit).map(([column, to]) => ({
      kind: "call",
      name: unquoted("FLOOR"),
      args: [{ kind: "name", parts: [column] }, to],
      ...plainCall,
    })),
    fc.record({
      kind: fc.constant("trim"),
      side: fc.constantFrom("BOTH", "LEADING", "TRAILING"),
      characters: maybe(inner),
      operand: inner,
    }),
    fc.record({
      kind: fc.constant("jsonPath"),
      name: fc.constant("JSON_VALUE"),
      input: inner,
      path: string,
      returning: maybe(typeOf),
      wrapper: fc.constant(null),
      onEmpty: maybe(behavior),
      onError: maybe(behavior),
    }),
  );
}

function containers(inner: Arbitrary, queryOf: Arbitrary, typeOf: Arbitrary): Arbitrary {
  const entry = fc.record({ key: inner, value: inner });
  return fc.oneof<fc.Arbitrary<Tree>[]>(
    fc.record({
      kind: fc.constant("case"),
      operand: maybe(inner),
      branches: few(fc.record({ when: inner, result: inner })),
      otherwise: maybe(inner),
    }),
    fc.record({ kind: fc.constant("cast"), operand: inner, type: typeOf, isTry: fc.boolean() }),
    fc.record({ kind: fc.constant("row"), items: few(inner) }),
    fc.record({ kind: fc.constant("array"), items: few(inner, 0) }),
    fc.record({ kind: fc.constant("map"), entries: few(entry) }),
    fc.record({ kind: fc.constant("element"), operand: inner, index: inner }),
    fc.record({ kind: fc.constant("field"), operand: inner, field: identifier }),
    fc.record({ kind: fc.constant("exists"), query: queryOf }),
    fc.record({ kind: fc.constant("subquery"), query: asSubquery(queryOf) }),
    fc.record({
      kind: fc.constant("jsonObject"),
      isAggregate: fc.constant(false),
      entries: few(entry),
      onNull: fc.constantFrom(null, "null", "absent"),
    }),
  );
}

/** Where an expression may stand as well, a query begins with its own first word. */
function asSubquery(queryOf: Arbitrary): Arbitrary {
  return queryOf.map((tree) => {
    const body = leftmost(tree["body"] as Tree);
    const isOpen = body["kind"] === "nested" && (tree["with"] as unknown[]).length === 0;
    return isOpen ? { ...tree, body: { kind: "values", rows: [[{ kind: "null" }]] } } : tree;
  });
}

function leftmost(body: Tree): Tree {
  return body["kind"] === "setOperation" ? leftmost(body["left"] as Tree) : body;
}

function queries(inner: Arbitrary, queryOf: Arbitrary): Arbitrary {
  const values = few(few(inner)).map((rows) => ({ kind: "values", rows }));
  const nested = queryOf.map((tree) => ({ kind: "nested", query: tree }));
  const term: Arbitrary = fc.oneof({ maxDepth: 2 }, values, selects(inner, queryOf), nested);
  const setOperation = fc.record({
    kind: fc.constant("setOperation"),
    operator: fc.constantFrom("union", "intersect", "except"),
    isAll: fc.boolean(),
    left: term,
    right: term,
  });
  const count = maybe(fc.nat().map((value) => ({ value })));
  const commonTable = fc.record({
    name: identifier,
    columns: fc.array(identifier, { maxLength: 2 }),
    query: queryOf,
  });
  return fc.record({
    with: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, few(commonTable)),
    body: fc.oneof({ maxDepth: 2 }, term, setOperation),
    orderBy: sortItems(inner),
    limit: count,
    offset: count,
    emit: fc.constant(null),
    allowedLateness: fc.constant(null),
  });
}

function selects(inner: Arbitrary, queryOf: Arbitrary): Arbitrary {
  const item: Arbitrary = fc.oneof(
    fc.record({ kind: fc.constant("expression"), expression: inner, alias: maybe(identifier) }),
    fc.record({ kind: fc.constant("star"), of: maybe(path) }),
  );
  const groupItem: Arbitrary = fc.oneof(
    inner.map((each) => ({ kind: "expression", expression: each })),
    fc.record({ kind: fc.constantFrom("rollup", "cube"), members: few(few(inner, 0)) }),
    few(few(inner, 0).map((expressions) => ({ kind: "set", expressions }))).map((sets) => ({
      kind: "groupingSets",
      sets,
    })),
  );
  return fc.record({
    kind: fc.constant("select"),
    isDistinct: fc.boolean(),
    items: few(item),
    from: maybe(tables(inner, queryOf)),
    where: maybe(inner),
    groupBy: maybe(few(groupItem)),
    having: maybe(inner),
    windows: fc.array(fc.record({ name: identifier, window: overWindow(inner) }), { maxLength: 1 }),
  });
}

function tables(inner: Arbitrary, queryOf: Arbitrary): Arbitrary {
  const alias = maybe(
    fc.record({ name: identifier, columns: fc.array(identifier, { maxLength: 2 }) }),
  );
  const tableArgument = fc.record({
    kind: fc.constant("tableArgument"),
    table: fc.oneof<Arbitrary[]>(path, queryOf),
    partitionBy: fc.array(inner, { maxLength: 2 }),
    orderBy: sortItems(inner),
  });
  const descriptor = few(path).map((columns) => ({ kind: "descriptor", columns }));
  const args = fc.tuple(tableArgument, descriptor, inner);
  const names = fc.constantFrom(null, ["DATA", "TIMECOL", "SIZE"]);
  const tableFunction = fc
    .tuple(args, names, alias, fc.boolean())
    .map(([given, named, as, isLateral]) => ({
      kind: "tableFunction",
      isLateral,
      name: unquoted("TUMBLE"),
      args: given.map((value, index) => ({
        name: named === null ? null : unquoted(named[index] ?? ""),
        value,
      })),
      alias: as,
    }));
  const leaf: Arbitrary = fc.oneof<Arbitrary[]>(
    fc.record({ kind: fc.constant("table"), name: path, alias, asOf: maybe(inner) }),
    fc.record({ kind: fc.constant("derived"), isLateral: fc.boolean(), query: queryOf, alias }),
    tableFunction,
  );
  const { table } = fc.letrec<{ table: Tree }>((tie) => ({
    table: fc.oneof({ maxDepth: 2, depthSize: "small" }, leaf, joins(tie("table"), inner)),
  }));
  return table;
}

function joins(table: Arbitrary, inner: Arbitrary): Arbitrary {
  const sides = { left: table, right: table };
  const on = { on: inner, using: fc.constant([]), isNatural: fc.constant(false) };
  const joinType = fc.constantFrom("inner", "left", "right", "full");
  const kind = fc.constant("join");
  return fc.oneof<fc.Arbitrary<Tree>[]>(
    fc.record({ kind, joinType, ...sides, ...on }),
    fc.record({ kind, joinType, ...sides, ...on, on: fc.constant(null), using: few(identifier) }),
    fc.record({ kind, joinType: fc.constant("cross"), ...sides, ...on, on: fc.constant(null) }),
  );
}

export const { type, expression, query } = fc.letrec<{
  type: Tree;
  expression: Tree;
  query: Tree;
}>((tie) => ({
  type: types(tie("type")),
  expression: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    literal,
    few(identifier).map((parts) => ({ kind: "name", parts })),
    operators(tie("expression"), tie("query")),
    calls(tie("expression"), tie("type")),
    containers(tie("expression"), tie("query"), tie("type")),
  ),
  query: queries(tie("expression"), tie("query")),
}));
