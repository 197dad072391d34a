-- Top-N of windows over PROCTIME(): they close by publishedAt.
CREATE STREAM t (v INT, p AS PROCTIME()) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, v FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY v DESC) AS n
  FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(p), INTERVAL '10' SECOND))
) WHERE n = 1
/* publishes
@ 00:00:01 t/0
{"v":1}
{"v":3}
@ 00:00:09 t/0
{"v":2}
@ 00:00:10 t/0
{"v":5}
@ 00:00:20 tick
*/
