import { expect, test } from "bun:test";
import { parseExpression } from "../../../../src/sql/syntax/parse-statement.ts";

test.each<[string, object]>([
  [
    "JSON_VALUE(j, '$.a' RETURNING INT NULL ON EMPTY DEFAULT -1 ON ERROR)",
    {
      name: "JSON_VALUE",
      returning: { name: "INT", isNullable: true },
      onEmpty: { kind: "null" },
      onError: { kind: "default", expression: { kind: "unary" } },
    },
  ],
  ["JSON_EXISTS(j, '$' TRUE ON ERROR)", { onEmpty: null, onError: { kind: "true" } }],
  ["JSON_QUERY(j, '$' WITH ARRAY WRAPPER)", { wrapper: "unconditional" }],
  ["JSON_QUERY(j, '$' WITH CONDITIONAL WRAPPER)", { wrapper: "conditional" }],
  ["JSON_QUERY(j, '$' EMPTY OBJECT ON ERROR)", { wrapper: null, onError: { kind: "emptyObject" } }],
  [
    "JSON_OBJECT('a' VALUE 1 ABSENT ON NULL)",
    { entries: [{ key: { value: "a" } }], onNull: "absent" },
  ],
  [
    "JSON_OBJECT(key VALUE value)",
    { entries: [{ key: { kind: "name" }, value: { kind: "name" } }] },
  ],
  ["JSON_OBJECT(KEY key VALUE 1, 'b': 2)", { entries: [{}, {}], onNull: null }],
  ["JSON_OBJECTAGG(k VALUE v NULL ON NULL)", { isAggregate: true, onNull: "null" }],
  ["JSON_ARRAY(NULL ON NULL)", { items: [], onNull: "null" }],
  ["JSON_ARRAY(NULL, 1)", { items: [{ kind: "null" }, { kind: "number" }], onNull: null }],
])("%s", (text, tree) => {
  expect(parseExpression(text)).toMatchObject(tree);
});

test("ON EMPTY stands before ON ERROR, each once", () => {
  for (const clauses of ["NULL ON ERROR NULL ON EMPTY", "NULL ON EMPTY NULL ON EMPTY"]) {
    expect(() => parseExpression(`JSON_VALUE(j, '$' ${clauses})`)).toThrow("once each");
  }
});
