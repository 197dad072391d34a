-- Rows of sessions of processing time.
CREATE STREAM clicks (u STRING, n INT, p AS PROCTIME())
WITH ('topic' = 'clicks', 'format' = 'json');
SELECT u, n, window_start, window_end
FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(p), INTERVAL '10' SECOND))
/* publishes
@ 00:00:02 clicks/0
{"u":"a","n":1}
{"u":"b","n":2}
@ 00:00:09 clicks/0
{"u":"a","n":3}
@ 00:00:13 tick
@ 00:00:18 clicks/0
{"u":"b","n":4}
@ 00:00:19 tick
@ 00:00:40 tick
*/
