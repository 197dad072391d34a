-- An event time more than an hour past publishedAt is a row, but moves no watermark.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:05 t/0
{"v":1,"ts":"2026-01-01 00:00:04.000"}
{"v":2,"ts":"2026-01-01 01:00:05.001"}
{"v":3,"ts":"9999-12-31 23:59:59.999"}
@ 00:00:06 t/0
{"v":4,"ts":"2026-01-01 00:00:06.000"}
@ 00:00:07 t/0
{"v":5,"ts":"2026-01-01 01:00:07.000"}
@ 00:00:08 t/0
{"v":6,"ts":"2026-01-01 00:00:08.000"}
*/
