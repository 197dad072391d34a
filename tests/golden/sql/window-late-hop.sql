-- A row is late only when all its windows have ended: earlier ones are simply over.
CREATE STREAM t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total
FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:13 t/0
{"v":1,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:14 t/0
{"v":2,"ts":"2026-01-01 00:00:03.000"}
{"v":4,"ts":"2026-01-01 00:00:11.000"}
@ 00:00:26 t/0
{"v":8,"ts":"2026-01-01 00:00:25.000"}
@ 00:00:27 t/0
{"v":16,"ts":"2026-01-01 00:00:12.000"}
{"v":32,"ts":"2026-01-01 00:00:09.999"}
@ 00:01:00 t/0
{"v":64,"ts":"2026-01-01 00:00:59.000"}
*/
