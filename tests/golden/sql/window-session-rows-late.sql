-- Rows of sessions one by one: late is a row whose session, after merging, has ended. One whose own
-- session would have ended is in time where it makes a session longer that is still open.
CREATE STREAM clicks (u STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('topic' = 'clicks', 'format' = 'json');
SELECT u, n, window_start, window_end
FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '10' SECOND))
/* publishes
@ 00:00:05 clicks/0
{"u":"b","n":0,"ts":"2026-01-01 00:00:04.000"}
@ 00:00:31 clicks/0
{"u":"a","n":1,"ts":"2026-01-01 00:00:30.000"}
{"u":"a","n":2,"ts":"2026-01-01 00:00:26.000"}
@ 00:00:32 clicks/0
{"u":"b","n":3,"ts":"2026-01-01 00:00:10.000"}
{"u":"a","n":4,"ts":"2026-01-01 00:00:18.000"}
{"u":"b","n":5,"ts":"2026-01-01 00:00:16.000"}
{"u":"a","n":6,"ts":"2026-01-01 00:00:08.001"}
@ 00:01:30 clicks/0
{"u":"c","n":7,"ts":"2026-01-01 00:01:29.000"}
*/
