-- A tick judges idleness too, and closes what an idle partition held back.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
-- partitions: 2
/* publishes
@ 00:00:00 t/1
{"v":1,"ts":"2026-01-01 00:00:00.000"}
@ 00:00:02 t/0
{"v":2,"ts":"2026-01-01 00:00:15.000"}
@ 00:00:04 tick
@ 00:00:05 tick
@ 00:00:06 tick
*/
