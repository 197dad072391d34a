-- ALLOWED LATENESS: late rows within it correct what came out; later ones are late.
CREATE STREAM t (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('topic' = 't', 'format' = 'json');
CREATE MATERIALIZED VIEW out AS
SELECT k, window_start, window_end, COUNT(*) AS n, SUM(v) AS total
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end
ALLOWED LATENESS INTERVAL '10' SECOND
/* publishes
@ 00:00:05 t/0
{"k":"a","v":1,"ts":"2026-01-01 00:00:04.000"}
{"k":"b","v":1,"ts":"2026-01-01 00:00:05.000"}
@ 00:00:13 t/0
{"k":"a","v":2,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:14 t/0
{"k":"a","v":4,"ts":"2026-01-01 00:00:01.000"}
{"k":"c","v":4,"ts":"2026-01-01 00:00:09.000"}
@ 00:00:20 t/0
{"k":"a","v":8,"ts":"2026-01-01 00:00:19.999"}
{"k":"a","v":16,"ts":"2026-01-01 00:00:02.000"}
@ 00:00:21 t/0
{"k":"a","v":32,"ts":"2026-01-01 00:00:20.000"}
{"k":"a","v":64,"ts":"2026-01-01 00:00:03.000"}
@ 00:00:22 t/0
{"k":"a","v":128,"ts":"2026-01-01 00:00:11.000"}
*/
