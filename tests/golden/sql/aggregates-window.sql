-- All aggregates in HOP windows: panes are merged.
-- input: kv
SELECT window_start, COUNT(*) AS n, SUM(v) AS s, AVG(d) AS a, MIN(m) AS lo, MAX(m) AS hi,
  COUNT(DISTINCT k) AS ks, SUM(m) AS sm,
  ROUND(VAR_POP(d), 6) AS vp
FROM TABLE(HOP(TABLE kv, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '2' SECOND))
GROUP BY window_start, window_end
