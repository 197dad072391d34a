-- ALLOWED LATENESS over SESSION: a late row takes a session back and makes it longer.
CREATE STREAM t (u STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('topic' = 't', 'format' = 'json');
CREATE MATERIALIZED VIEW out AS
SELECT u, window_start, window_end, COUNT(*) AS n
FROM TABLE(SESSION(TABLE t PARTITION BY u, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY u, window_start, window_end
ALLOWED LATENESS INTERVAL '10' SECOND
/* publishes
@ 00:00:02 t/0
{"u":"a","ts":"2026-01-01 00:00:01.000"}
@ 00:00:13 t/0
{"u":"b","ts":"2026-01-01 00:00:12.000"}
@ 00:00:14 t/0
{"u":"a","ts":"2026-01-01 00:00:04.000"}
@ 00:00:15 t/0
{"u":"a","ts":"2026-01-01 00:00:09.500"}
@ 00:00:41 t/0
{"u":"b","ts":"2026-01-01 00:00:40.000"}
@ 00:00:42 t/0
{"u":"a","ts":"2026-01-01 00:00:10.000"}
*/
