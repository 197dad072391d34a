-- Day windows in autumn: 25 hours, one of them shown twice.
-- option: table.local-time-zone = America/New_York
CREATE STREAM t (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY window_start, window_end
/* publishes
@ 2026-11-03T00:00:00 t/0
{"v":1,"ts":"2026-11-01 03:59:59.999Z"}
{"v":2,"ts":"2026-11-01 04:00:00.000Z"}
{"v":4,"ts":"2026-11-01 05:30:00.000Z"}
{"v":8,"ts":"2026-11-01 06:30:00.000Z"}
{"v":16,"ts":"2026-11-02 04:59:59.999Z"}
{"v":32,"ts":"2026-11-02 05:00:00.000Z"}
*/
