-- Two inputs: one whose partitions are all idle holds nobody; when it comes back its rows may be late.
-- partitions: 1
CREATE STREAM a (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json', 'idle-timeout' = '2 s');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total FROM TABLE(TUMBLE(TABLE (
  SELECT v, ts FROM a UNION ALL SELECT v, ts FROM b
), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:01 b/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:01.500 a/0
{"v":2,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:02.900 a/0
{"v":4,"ts":"2026-01-01 00:00:13.000"}
@ 00:00:03 a/0
{"v":8,"ts":"2026-01-01 00:00:14.000"}
@ 00:00:04 b/0
{"v":16,"ts":"2026-01-01 00:00:09.000"}
{"v":32,"ts":"2026-01-01 00:00:11.000"}
@ 00:00:05 a/0
{"v":64,"ts":"2026-01-01 00:00:30.000"}
@ 00:00:05.900 b/0
{"v":128,"ts":"2026-01-01 00:00:19.000"}
@ 00:00:06 b/0
{"v":256,"ts":"2026-01-01 00:00:31.000"}
*/
