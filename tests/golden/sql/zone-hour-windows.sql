-- Hour windows in the hour that is shown twice: both are one window on the wall.
-- option: table.local-time-zone = Europe/Berlin
CREATE STREAM t (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, SUM(v) AS total
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end
/* publishes
@ 2026-10-25T00:31:00 t/0
{"v":1,"ts":"2026-10-24 23:30:00.000Z"}
{"v":2,"ts":"2026-10-25 00:30:00.000Z"}
@ 2026-10-25T01:31:00 t/0
{"v":4,"ts":"2026-10-25 01:30:00.000Z"}
@ 2026-10-25T02:31:00 t/0
{"v":8,"ts":"2026-10-25 02:30:00.000Z"}
@ 2026-10-25T03:31:00 t/0
{"v":16,"ts":"2026-10-25 03:30:00.000Z"}
*/
