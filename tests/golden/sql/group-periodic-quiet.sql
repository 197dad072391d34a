-- EMIT PERIODIC: a tick lets out what waits when no rows come.
CREATE STREAM t (k STRING) WITH ('topic' = 't', 'format' = 'json');
CREATE MATERIALIZED VIEW out AS SELECT k, COUNT(*) AS n FROM t GROUP BY k EMIT PERIODIC INTERVAL '10' SECOND
/* publishes
@ 00:00:01 t/0
{"k":"a"}
{"k":"b"}
@ 00:00:09 t/0
{"k":"a"}
@ 00:00:10 tick
@ 00:00:11 t/0
{"k":"b"}
@ 00:00:12 tick
@ 00:00:25 t/0
{"k":"c"}
@ 00:00:30 tick
*/
