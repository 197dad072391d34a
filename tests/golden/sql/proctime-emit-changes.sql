-- EMIT CHANGES over windows of PROCTIME().
CREATE STREAM t (k STRING, p AS PROCTIME()) WITH ('topic' = 't', 'format' = 'json');
CREATE MATERIALIZED VIEW out AS
SELECT k, window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(p), INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end
EMIT CHANGES
/* publishes
@ 00:00:01 t/0
{"k":"a"}
{"k":"b"}
@ 00:00:03 t/0
{"k":"a"}
@ 00:00:12 t/0
{"k":"a"}
@ 00:00:21 tick
@ 00:00:22 t/0
{"k":"b"}
*/
