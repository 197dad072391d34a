-- REGEXP, REGEXP_EXTRACT, REGEXP_REPLACE.
CREATE STREAM t (s STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT s, REGEXP(s, '^[a-c]+$') AS a, REGEXP_EXTRACT(s, '(\d+)-(\w+)', 2) AS b, REGEXP_EXTRACT(s, '(\d+)', 1) AS c,
  REGEXP_REPLACE(s, '\d', '#') AS d, REGEXP_EXTRACT(s, 'x(y)?z', 1) AS e FROM t
/* publishes
@ 00:00:01 t/0
{"s":"abc"}
{"s":"12-ab 34-cd"}
{"s":"xz"}
{"s":""}
{"s":null}
*/
