-- Rows of sessions over TIMESTAMP_LTZ: bounds are what the clock on the wall showed.
-- option: table.local-time-zone = Asia/Kolkata
CREATE STREAM clicks (u STRING, n INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts)
WITH ('topic' = 'clicks', 'format' = 'json');
SELECT u, n, window_start, window_end, window_time
FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '20' MINUTE))
/* publishes
@ 2026-10-25T00:45:00 clicks/0
{"u":"a","n":1,"ts":"2026-10-25 00:40:00.000Z"}
@ 2026-10-25T01:20:00 clicks/0
{"u":"a","n":2,"ts":"2026-10-25 00:55:00.000Z"}
{"u":"a","n":3,"ts":"2026-10-25 01:10:00.000Z"}
@ 2026-10-25T03:00:00 clicks/0
{"u":"b","n":4,"ts":"2026-10-25 02:50:00.000Z"}
*/
