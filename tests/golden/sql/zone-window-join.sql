-- A window join of windows on the wall, east of UTC.
-- option: table.local-time-zone = Asia/Tokyo
CREATE STREAM a (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json');
SELECT x.v AS av, y.v AS bv, x.window_start
FROM (SELECT * FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' HOUR))) x
LEFT JOIN (SELECT * FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '1' HOUR))) y
ON x.window_start = y.window_start AND x.window_end = y.window_end AND x.v < y.v
/* publishes
@ 2026-06-01T10:00:00 a/0
{"v":1,"ts":"2026-06-01 09:10:00.000Z"}
{"v":5,"ts":"2026-06-01 09:20:00.000Z"}
@ 2026-06-01T10:01:00 b/0
{"v":3,"ts":"2026-06-01 09:40:00.000Z"}
@ 2026-06-01T10:40:00 a/0
{"v":7,"ts":"2026-06-01 10:30:00.000Z"}
@ 2026-06-01T10:41:00 b/0
{"v":9,"ts":"2026-06-01 10:31:00.000Z"}
*/
