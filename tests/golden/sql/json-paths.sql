-- JSON paths with * lead to a list of however many, which is no scalar: Flink's own examples.
CREATE STREAM t (j STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT JSON_QUERY(j, 'lax $.a[*].c') AS a, JSON_QUERY(j, '$.a[*].c' WITH ARRAY WRAPPER) AS b,
  JSON_QUERY(j, '$.a[*].c' WITH CONDITIONAL ARRAY WRAPPER) AS c, JSON_VALUE(j, 'lax $.a[*].c') AS d,
  JSON_VALUE(j, 'lax $.["a.b"][0]' RETURNING DOUBLE) AS e FROM t
/* publishes
@ 00:00:01 t/0
{"j":"{\"a\":[{\"c\":\"c1\"},{\"c\":\"c2\"}]}"}
{"j":"{\"a\":[{\"c\":1}]}"}
{"j":"{\"a\":[],\"a.b\":[0.998,0.996]}"}
*/
