-- Event times before 1970, and of year 1.
CREATE STREAM t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY window_start, window_end
/* publishes
@ 00:00:05 t/0
{"v":1,"ts":"0001-01-01 00:00:00.000"}
{"v":2,"ts":"1969-12-31 23:59:59.999"}
{"v":3,"ts":"1970-01-01 00:00:00.000"}
@ 00:00:06 t/0
{"v":4,"ts":"1969-12-31 23:59:59.998"}
{"v":5,"ts":"1970-01-02 00:00:00.999"}
{"v":6,"ts":"1970-01-02 00:00:01.000"}
*/
