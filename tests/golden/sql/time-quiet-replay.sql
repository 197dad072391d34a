-- A quiet stream far from the clock, such as a replay, does not run on by itself.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 12:00:00 t/0
{"v":1,"ts":"2026-01-01 11:58:59.000"}
@ 12:00:05 tick
@ 12:10:00 tick
@ 13:00:00 tick
*/
