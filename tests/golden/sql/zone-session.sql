-- SESSION over TIMESTAMP_LTZ: bounds are shown on the wall.
-- option: table.local-time-zone = Asia/Kolkata
CREATE STREAM t (k STRING, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT k, window_start, window_end, COUNT(*) AS n
FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' MINUTE)) GROUP BY k, window_start, window_end
/* publishes
@ 2026-01-01T12:00:00 t/0
{"k":"a","ts":"2026-01-01 11:00:00.000Z"}
{"k":"a","ts":"2026-01-01 11:05:00.000Z"}
{"k":"b","ts":"2026-01-01 11:40:00.000Z"}
*/
