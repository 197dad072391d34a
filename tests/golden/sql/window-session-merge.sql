-- A row in the middle makes two sessions one.
CREATE STREAM clicks (u STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '30' SECOND)
WITH ('topic' = 'clicks', 'format' = 'json');
SELECT u, window_start, window_end, COUNT(*) AS n
FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY u, window_start, window_end
/* publishes
@ 00:00:20 clicks/0
{"u":"a","ts":"2026-01-01 00:00:00.000"}
{"u":"b","ts":"2026-01-01 00:00:05.000"}
{"u":"a","ts":"2026-01-01 00:00:18.000"}
@ 00:00:28 clicks/0
{"u":"b","ts":"2026-01-01 00:00:15.000"}
{"u":"a","ts":"2026-01-01 00:00:09.000"}
{"u":"b","ts":"2026-01-01 00:00:25.001"}
@ 00:02:00 clicks/0
{"u":"a","ts":"2026-01-01 00:02:00.000"}
*/
