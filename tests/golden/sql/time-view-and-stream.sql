-- A view joined with a stream: the lesser of what its commits say and of the stream's own. When all that
-- the view's query reads is idle, its commits say so, and the view holds nobody.
-- partitions: 1
CREATE STREAM a (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json');
CREATE MATERIALIZED VIEW w AS SELECT v, ts FROM b WHERE v > 0;
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS total FROM TABLE(TUMBLE(TABLE (
  SELECT v, ts FROM a UNION ALL SELECT v, ts FROM w
), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:01 a/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:02 w/0
{"v":2,"ts":"2026-01-01 00:00:02.000"}
= w 00:00:02
@ 00:00:03 a/0
{"v":4,"ts":"2026-01-01 00:00:15.000"}
@ 00:00:04 commit
= w 00:00:09
@ 00:00:05 a/0
{"v":8,"ts":"2026-01-01 00:00:08.000"}
@ 00:00:06 commit
= w 00:00:12
@ 00:00:07 a/0
{"v":16,"ts":"2026-01-01 00:00:31.000"}
@ 00:00:30 a/0
{"v":32,"ts":"2026-01-01 00:00:32.000"}
@ 00:00:31 commit
= w 00:00:13 idle
@ 00:00:32 w/0
{"v":64,"ts":"2026-01-01 00:00:13.000"}
{"v":128,"ts":"2026-01-01 00:00:33.000"}
= w 00:00:33 awaited
@ 00:00:33 a/0
{"v":256,"ts":"2026-01-01 00:00:40.000"}
@ 00:00:34 commit
= w 00:00:41
*/
