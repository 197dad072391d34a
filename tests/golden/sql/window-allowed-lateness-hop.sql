-- ALLOWED LATENESS over HOP: one late row corrects each of its windows that may still change.
CREATE STREAM t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('topic' = 't', 'format' = 'json');
CREATE MATERIALIZED VIEW out AS
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total
FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end
ALLOWED LATENESS INTERVAL '3' SECOND
/* publishes
@ 00:00:13 t/0
{"v":1,"ts":"2026-01-01 00:00:02.000"}
{"v":2,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:14 t/0
{"v":4,"ts":"2026-01-01 00:00:07.000"}
{"v":8,"ts":"2026-01-01 00:00:04.000"}
@ 00:00:18 t/0
{"v":16,"ts":"2026-01-01 00:00:17.999"}
{"v":32,"ts":"2026-01-01 00:00:08.000"}
@ 00:00:19 t/0
{"v":64,"ts":"2026-01-01 00:00:06.000"}
{"v":128,"ts":"2026-01-01 00:00:18.000"}
{"v":256,"ts":"2026-01-01 00:00:09.000"}
*/
