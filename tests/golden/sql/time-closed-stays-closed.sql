-- A window that closed empty stays closed: a row that comes for it is late.
CREATE STREAM t (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:15 t/0
{"k":"a","ts":"2026-01-01 00:00:15.000"}
@ 00:00:16 t/0
{"k":"b","ts":"2026-01-01 00:00:09.999"}
@ 00:00:40 t/0
{"k":"c","ts":"2026-01-01 00:00:39.000"}
*/
