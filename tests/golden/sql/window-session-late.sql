-- A late row that would have opened a session of its own; one that joins a session still open.
CREATE STREAM clicks (u STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('topic' = 'clicks', 'format' = 'json');
SELECT u, window_start, window_end, COUNT(*) AS n
FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY u, window_start, window_end
/* publishes
@ 00:00:31 clicks/0
{"u":"a","ts":"2026-01-01 00:00:30.000"}
{"u":"a","ts":"2026-01-01 00:00:26.000"}
@ 00:00:32 clicks/0
{"u":"b","ts":"2026-01-01 00:00:10.000"}
{"u":"a","ts":"2026-01-01 00:00:18.000"}
{"u":"b","ts":"2026-01-01 00:00:16.000"}
{"u":"a","ts":"2026-01-01 00:00:08.001"}
@ 00:01:30 clicks/0
{"u":"c","ts":"2026-01-01 00:01:29.000"}
*/
