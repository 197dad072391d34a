-- Two inputs: a join's watermark is the lesser; the faster input's rows wait.
-- partitions: 1
CREATE STREAM a (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('topic' = 'b', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total FROM TABLE(TUMBLE(TABLE (
  SELECT v, ts FROM a UNION ALL SELECT v, ts FROM b
), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:01 a/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:02 b/0
{"v":2,"ts":"2026-01-01 00:00:02.000"}
@ 00:00:06 a/0
{"v":4,"ts":"2026-01-01 00:00:25.000"}
@ 00:00:06.500 b/0
{"v":8,"ts":"2026-01-01 00:00:14.999"}
@ 00:00:06.800 a/0
{"v":16,"ts":"2026-01-01 00:00:03.000"}
@ 00:00:07 b/0
{"v":32,"ts":"2026-01-01 00:00:15.000"}
@ 00:00:07.500 a/0
{"v":64,"ts":"2026-01-01 00:00:09.000"}
@ 00:00:08 b/0
{"v":128,"ts":"2026-01-01 00:00:09.000"}
{"v":256,"ts":"2026-01-01 00:00:24.000"}
*/
