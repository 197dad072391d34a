-- Casts that fail are error rows.
CREATE STREAM t (s STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT s, CAST(s AS INT) AS n FROM t
/* publishes
@ 00:00:01 t/0
{"s":"12"}
{"s":"twelve"}
{"s":" 7 "}
{"s":"2147483648"}
{"s":null}
{"s":"-0"}
{"s":""}
*/
