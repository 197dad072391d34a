-- JSON functions over a column of text.
CREATE STREAM t (j STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT JSON_VALUE(j, '$.a') AS a, JSON_QUERY(j, '$.b') AS b, JSON_EXISTS(j, '$.c.d') AS c, j IS JSON OBJECT AS d,
  JSON_VALUE(j, 'lax $.n' RETURNING INT DEFAULT -1 ON EMPTY) AS e, JSON_OBJECT('x' VALUE 1) AS f, JSON_ARRAY(1, 'two') AS g FROM t
/* publishes
@ 00:00:01 t/0
{"j":"{\"a\":\"x\",\"b\":[1,{\"y\":2}],\"c\":{\"d\":null},\"n\":7}"}
{"j":"{\"a\":1.5,\"b\":{}}"}
{"j":"[1,2]"}
{"j":"no json"}
{"j":null}
*/
