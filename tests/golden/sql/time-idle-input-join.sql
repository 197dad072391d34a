-- A join of windows closes without an input all of whose partitions are idle.
-- partitions: 2
CREATE STREAM a (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json');
SELECT l.v AS l, r.v AS r, l.window_start FROM
  (SELECT * FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10' SECOND))) l
JOIN
  (SELECT * FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '10' SECOND))) r
ON l.window_start = r.window_start AND l.window_end = r.window_end
/* publishes
@ 00:00:01 b/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:02 a/0
{"v":2,"ts":"2026-01-01 00:00:02.000"}
@ 00:00:03 a/1
{"v":3,"ts":"2026-01-01 00:00:03.000"}
@ 00:00:06 a/0
{"v":4,"ts":"2026-01-01 00:00:16.000"}
+ a/1
{"v":5,"ts":"2026-01-01 00:00:11.000"}
*/
