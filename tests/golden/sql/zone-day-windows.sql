-- Day windows of TIMESTAMP_LTZ across a clock change: the day has 23 hours in spring.
-- option: table.local-time-zone = Europe/Berlin
CREATE STREAM t (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY window_start, window_end
/* publishes
@ 2026-03-31T00:00:00 t/0
{"v":1,"ts":"2026-03-28 22:59:59.999Z"}
{"v":2,"ts":"2026-03-28 23:00:00.000Z"}
{"v":4,"ts":"2026-03-29 00:59:59.999Z"}
{"v":8,"ts":"2026-03-29 01:00:00.000Z"}
{"v":16,"ts":"2026-03-29 21:59:59.999Z"}
{"v":32,"ts":"2026-03-29 22:00:00.000Z"}
{"v":64,"ts":"2026-03-30 21:59:59.999Z"}
{"v":128,"ts":"2026-03-30 22:00:00.000Z"}
*/
