-- Sessions without a key, filtered behind the windows: a filter does not part a session.
CREATE STREAM clicks (u STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('topic' = 'clicks', 'format' = 'json');
SELECT u, n, window_start, window_end
FROM TABLE(SESSION(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
WHERE u = 'a'
/* publishes
@ 00:00:31 clicks/0
{"u":"a","n":1,"ts":"2026-01-01 00:00:00.000"}
{"u":"b","n":2,"ts":"2026-01-01 00:00:08.000"}
{"u":"a","n":3,"ts":"2026-01-01 00:00:16.000"}
@ 00:00:42 clicks/0
{"u":"a","n":4,"ts":"2026-01-01 00:00:40.000"}
{"u":"b","n":5,"ts":"2026-01-01 00:00:41.000"}
*/
