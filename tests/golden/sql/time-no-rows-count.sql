-- Rows that a WHERE leaves out move the watermark all the same; rows in error do not.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE (SELECT * FROM t WHERE v < 10), DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:05 t/0
{"v":1,"ts":"2026-01-01 00:00:04.000"}
@ 00:00:06 t/0
{"v":"x","ts":"2026-01-01 00:00:14.000"}
{"v":2,"ts":null}
{"v":3,"ts":"2026-01-01 00:00:05.000"}
@ 00:00:07 t/0
{"v":11,"ts":"2026-01-01 00:00:14.000"}
@ 00:00:08 t/0
{"v":4,"ts":"2026-01-01 00:00:06.000"}
*/
