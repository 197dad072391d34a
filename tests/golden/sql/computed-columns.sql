-- Computed columns, one of them the event time.
CREATE STREAM t (
  id INT, at_ms BIGINT, name STRING,
  ts AS TO_TIMESTAMP(FROM_UNIXTIME(at_ms / 1000)),
  upper_name AS UPPER(name),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('topic' = 't', 'format' = 'json');
SELECT window_start, COUNT(*) AS n, MAX(upper_name) AS top
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
/* publishes
@ 00:00:20 t/0
{"id":1,"at_ms":1767225601000,"name":"ann"}
{"id":2,"at_ms":1767225609999,"name":"zoë"}
{"id":3,"at_ms":1767225612000,"name":"bob"}
{"id":4,"at_ms":null,"name":"nobody"}
*/
