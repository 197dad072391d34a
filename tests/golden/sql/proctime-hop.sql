-- HOP over PROCTIME().
CREATE STREAM t (v INT, p AS PROCTIME()) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, window_end, SUM(v) AS total
FROM TABLE(HOP(TABLE t, DESCRIPTOR(p), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end
/* publishes
@ 00:00:01 t/0
{"v":1}
@ 00:00:06 t/0
{"v":2}
@ 00:00:17 t/0
{"v":4}
@ 00:00:40 tick
*/
