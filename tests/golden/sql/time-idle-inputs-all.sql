-- Two inputs that have come unequally far fall silent: once both are idle, the greater of them counts.
CREATE STREAM a (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json', 'idle-timeout' = '2 s');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total FROM TABLE(TUMBLE(TABLE (
  SELECT v, ts FROM a UNION ALL SELECT v, ts FROM b
), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 1
/* publishes
@ 00:00:01 a/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:02 b/0
{"v":2,"ts":"2026-01-01 00:00:25.000"}
@ 00:00:03 a/0
{"v":4,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:20 a/0
{"v":8,"ts":"2026-01-01 00:00:18.000"}
{"v":16,"ts":"2026-01-01 00:00:26.000"}
@ 00:00:21 b/0
{"v":32,"ts":"2026-01-01 00:00:31.000"}
@ 00:00:21.500 a/0
{"v":64,"ts":"2026-01-01 00:00:32.000"}
*/
