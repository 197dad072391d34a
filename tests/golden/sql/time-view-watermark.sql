-- A view's commits say its watermark: no delay, no idleness, a commit without rows moves it too, and the
-- rows of one commit may come in any order.
CREATE STREAM bids (price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'bids', 'format' = 'json');
CREATE MATERIALIZED VIEW v AS SELECT window_time AS at_, SUM(price) AS total FROM
  TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, window_time;
SELECT window_start, window_end, COUNT(*) AS n, SUM(total) AS total
  FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(at_), INTERVAL '30' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:11 v/0
{"at_":"2026-01-01 00:00:39.999","total":1}
{"at_":"2026-01-01 00:00:09.999","total":2}
@ 00:00:12 v/0
{"at_":"2026-01-01 00:00:19.999","total":4}
{"at_":"2026-01-01 00:00:49.999","total":8}
= v 00:00:29.999
@ 00:00:13 v/0
{"at_":"2026-01-01 00:00:29.999","total":16}
@ 00:00:14 commit
= v 00:00:30
@ 00:00:15 v/0
{"at_":"2026-01-01 00:00:29.999","total":32}
{"at_":"2026-01-01 00:00:59.999","total":64}
@ 00:10:00 tick
@ 00:10:01 v/0
{"at_":"2026-01-01 00:00:59.999","total":128}
@ 00:10:02 v/0
{"at_":"2026-01-01 00:01:09.999","total":256}
= v 00:01:05
*/
