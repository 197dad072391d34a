-- Top-N of windows on the wall: they close when their end has passed there.
-- option: table.local-time-zone = America/Los_Angeles
CREATE STREAM t (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, v FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY v DESC) AS n
  FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR))
) WHERE n = 1
/* publishes
@ 2026-06-01T10:00:00 t/0
{"v":1,"ts":"2026-06-01 09:10:00.000Z"}
@ 2026-06-01T10:01:00 t/0
{"v":3,"ts":"2026-06-01 09:40:00.000Z"}
@ 2026-06-01T11:00:00 t/0
{"v":2,"ts":"2026-06-01 10:10:00.000Z"}
*/
