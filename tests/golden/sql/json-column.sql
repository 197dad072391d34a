-- A JSON column holds any value.
CREATE STREAM t (id INT, j JSON) WITH ('topic' = 't', 'format' = 'json');
SELECT id, j, JSON_VALUE(j, '$.a') AS a FROM t
/* publishes
@ 00:00:01 t/0
{"id":1,"j":{"a":"x","b":[1, 2.50, true, null]}}
{"id":2,"j":[1,2]}
{"id":3,"j":"text"}
{"id":4,"j":null}
{"id":5}
*/
