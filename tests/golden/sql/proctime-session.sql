-- SESSION over PROCTIME().
CREATE STREAM t (k STRING, p AS PROCTIME()) WITH ('topic' = 't', 'format' = 'json');
SELECT k, window_start, window_end, COUNT(*) AS n
FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(p), INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end
/* publishes
@ 00:00:01 t/0
{"k":"a"}
@ 00:00:08 t/0
{"k":"a"}
{"k":"b"}
@ 00:00:17.999 t/0
{"k":"a"}
@ 00:00:19 t/0
{"k":"b"}
@ 00:00:29 tick
@ 00:00:50 t/0
{"k":"a"}
*/
