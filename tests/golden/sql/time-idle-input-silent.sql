-- Two inputs, one of which never speaks: it is awaited from the first publish of the other, then left out,
-- also where both fall idle by the same tick.
-- partitions: 1
CREATE STREAM a (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total FROM TABLE(TUMBLE(TABLE (
  SELECT v, ts FROM a UNION ALL SELECT v, ts FROM b
), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:00 new b/0
@ 00:00:01 a/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
{"v":2,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:05.999 tick
@ 00:00:06 tick
@ 00:00:07 a/0
{"v":4,"ts":"2026-01-01 00:00:09.000"}
{"v":8,"ts":"2026-01-01 00:00:25.000"}
@ 00:00:11.900 a/0
{"v":16,"ts":"2026-01-01 00:00:26.000"}
@ 00:00:12 a/0
{"v":32,"ts":"2026-01-01 00:00:27.000"}
*/
