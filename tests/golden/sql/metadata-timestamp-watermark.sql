-- The record's timestamp as event time.
CREATE STREAM t (v INT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR ts AS ts)
WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, SUM(v) AS total FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:07 t/0
~ {"timestamp":1767225601000} {"v":1}
~ {"timestamp":1767225604999} {"v":2}
~ {"timestamp":1767225606000} {"v":4}
*/
