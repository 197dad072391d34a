-- PROCTIME() is publishedAt: windows close by it.
CREATE STREAM t (k STRING, p AS PROCTIME()) WITH ('topic' = 't', 'format' = 'json');
SELECT k, window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(p), INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end
/* publishes
@ 00:00:01 t/0
{"k":"a"}
{"k":"b"}
@ 00:00:09.999 t/0
{"k":"a"}
@ 00:00:10 t/0
{"k":"a"}
@ 00:00:20 tick
@ 00:00:47 t/0
{"k":"b"}
@ 00:00:48 t/0
{"k":"b"}
@ 00:00:50 tick
*/
