-- Signs of zero, types of NULLIF, angles, numbers in blanks, and times cut to seconds.
CREATE STREAM t (d DOUBLE, c DECIMAL(10, 3), u STRING, ts TIMESTAMP(3)) WITH ('topic' = 't', 'format' = 'json');
SELECT ABS(d) AS a, ROUND(d, 1) AS r, TYPEOF(NULLIF(c, 0)) AS ty, c / NULLIF(c, 0) AS q, NULLIF(c, 1.5) AS n,
  DEGREES(d) AS g, RADIANS(d) AS f, IS_DECIMAL(u) AS de, CAST(ts AS TIMESTAMP(0)) AS s FROM t
/* publishes
@ 00:00:00 t/0
{"d":-0.0,"c":"12.345","u":" -7 ","ts":"2026-03-29 01:30:00.123"}
{"d":-0.04,"c":"0.000","u":"1e3","ts":"2024-02-29 23:59:59.999"}
{"d":0.1,"c":"1.500","u":" 1 2","ts":"2026-12-31 12:00:00.000"}
{"d":-123456.789,"c":"-9999999.999","u":" ","ts":null}
*/
