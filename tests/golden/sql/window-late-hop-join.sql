-- The same with a window join.
CREATE STREAM t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
CREATE VIEW hops AS SELECT * FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND));
SELECT a.v AS a, b.v AS b, a.window_start, a.window_end FROM hops a JOIN hops b
ON a.window_start = b.window_start AND a.window_end = b.window_end AND a.v <= b.v
/* publishes
@ 00:00:13 t/0
{"v":1,"ts":"2026-01-01 00:00:03.000"}
{"v":2,"ts":"2026-01-01 00:00:12.000"}
@ 00:00:14 t/0
{"v":4,"ts":"2026-01-01 00:00:06.000"}
@ 00:00:30 t/0
{"v":16,"ts":"2026-01-01 00:00:29.000"}
*/
