-- Windows without rows never come out, however long the gap.
CREATE STREAM t (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(k) AS n FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:05 t/0
{"k":"a","ts":"2026-01-01 00:00:04.000"}
{"k":null,"ts":"2026-01-01 00:00:04.500"}
@ 2026-06-01T00:00:00 t/0
{"k":"b","ts":"2026-06-01 00:00:00.000"}
@ 2026-06-01T00:00:08 t/0
{"k":"c","ts":"2026-06-01 00:00:12.500"}
*/
