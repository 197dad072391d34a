-- An input whose partitions are all idle no longer holds a join of windows back.
CREATE STREAM a (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE (
  SELECT v, ts FROM a UNION ALL SELECT v, ts FROM b
), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:01 a/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:02 b/0
{"v":2,"ts":"2026-01-01 00:00:02.000"}
@ 00:00:05 a/0
{"v":4,"ts":"2026-01-01 00:00:15.000"}
@ 00:00:07 a/0
{"v":8,"ts":"2026-01-01 00:00:16.000"}
@ 00:00:11 a/0
{"v":16,"ts":"2026-01-01 00:00:27.000"}
@ 00:00:12 b/0
{"v":32,"ts":"2026-01-01 00:00:05.000"}
*/
