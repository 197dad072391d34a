-- HOP over days in a zone behind UTC.
-- option: table.local-time-zone = America/Los_Angeles
CREATE STREAM t (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, SUM(v) AS total
FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '12' HOUR, INTERVAL '1' DAY)) GROUP BY window_start, window_end
/* publishes
@ 2026-06-02T20:00:00 t/0
{"v":1,"ts":"2026-06-01 06:59:59.000Z"}
{"v":2,"ts":"2026-06-01 07:00:00.000Z"}
{"v":4,"ts":"2026-06-01 19:00:00.000Z"}
@ 2026-06-02T21:00:00 t/0
{"v":8,"ts":"2026-06-02 08:00:00.000Z"}
*/
