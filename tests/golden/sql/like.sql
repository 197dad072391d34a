-- LIKE with escapes, NOT LIKE, SIMILAR ways to match.
CREATE STREAM t (s STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT s, s LIKE 'a%' AS a, s LIKE '_b%' AS b, s NOT LIKE '%c' AS c, s LIKE '%!%%' ESCAPE '!' AS d, s LIKE '%\_%' AS e FROM t
/* publishes
@ 00:00:01 t/0
{"s":"abc"}
{"s":"ABC"}
{"s":"a%c"}
{"s":"x_y"}
{"s":""}
{"s":null}
{"s":"日b本"}
*/
