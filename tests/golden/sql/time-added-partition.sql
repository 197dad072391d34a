-- A partition that is added is awaited from the next publish on.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:01 t/0
{"v":1,"ts":"2026-01-01 00:00:01.000"}
@ 00:00:11 t/0
{"v":2,"ts":"2026-01-01 00:00:11.000"}
@ 00:00:12 new t/1
@ 00:00:13 t/0
{"v":3,"ts":"2026-01-01 00:00:22.000"}
@ 00:00:15 t/1
{"v":4,"ts":"2026-01-01 00:00:14.000"}
{"v":5,"ts":"2026-01-01 00:00:03.000"}
@ 00:00:17 t/1
{"v":6,"ts":"2026-01-01 00:00:30.000"}
*/
