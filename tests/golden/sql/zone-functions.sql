-- Functions in the session's time zone.
-- option: table.local-time-zone = Europe/Berlin
CREATE STREAM t (ts TIMESTAMP_LTZ(3), w TIMESTAMP(3)) WITH ('topic' = 't', 'format' = 'json');
SELECT ts, CAST(ts AS TIMESTAMP(3)) AS wall, CAST(w AS TIMESTAMP_LTZ(3)) AS instant, CAST(ts AS STRING) AS s,
  DATE_FORMAT(ts, 'yyyy-MM-dd HH:mm') AS f, HOUR(ts) AS h, CAST(ts AS DATE) AS d FROM t
/* publishes
@ 00:00:01 t/0
{"ts":"2026-03-29 00:59:59.999Z","w":"2026-03-29 02:30:00.000"}
{"ts":"2026-03-29 01:00:00.000Z","w":"2026-10-25 02:30:00.000"}
{"ts":"2026-10-25 00:30:00.000Z","w":"2026-10-25 03:00:00.000"}
{"ts":"1969-12-31 23:30:00.000Z","w":"1970-01-01 00:00:00.000"}
*/
