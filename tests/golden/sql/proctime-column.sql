-- PROCTIME() in a projection.
CREATE STREAM t (k STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT k, CAST(PROCTIME() AS STRING) AS p FROM t
/* publishes
@ 00:00:01.500 t/0
{"k":"a"}
@ 2026-03-01T12:00:00 t/0
{"k":"b"}
*/
