-- Rows of sessions one by one: they come with the session that later rows made of theirs.
CREATE STREAM clicks (u STRING, page INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '30' SECOND)
WITH ('topic' = 'clicks', 'format' = 'json');
SELECT page, u, window_start, window_end, window_time
FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '10' SECOND))
/* publishes
@ 00:00:20 clicks/0
{"u":"a","page":1,"ts":"2026-01-01 00:00:00.000"}
{"u":"b","page":2,"ts":"2026-01-01 00:00:05.000"}
{"u":"a","page":3,"ts":"2026-01-01 00:00:18.000"}
{"u":null,"page":4,"ts":"2026-01-01 00:00:18.000"}
@ 00:00:28 clicks/0
{"u":"b","page":5,"ts":"2026-01-01 00:00:15.000"}
{"u":"a","page":6,"ts":"2026-01-01 00:00:09.000"}
{"u":"b","page":7,"ts":"2026-01-01 00:00:25.001"}
{"u":null,"page":8,"ts":"2026-01-01 00:00:17.000"}
{"u":"a","page":null,"ts":"2026-01-01 00:00:18.000"}
@ 00:02:00 clicks/0
{"u":"a","page":9,"ts":"2026-01-01 00:02:00.000"}
@ 00:02:10 clicks/0
{"u":"a","page":10,"ts":"2026-01-01 00:02:10.000"}
*/
