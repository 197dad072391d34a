-- Aggregates of nothing are NULL, counts zero.
-- input: kv
SELECT k, SUM(v) FILTER (WHERE v > 100) AS s, COUNT(*) FILTER (WHERE v > 100) AS n,
  MIN(d) FILTER (WHERE v > 100) AS lo, AVG(m) FILTER (WHERE v > 100) AS a FROM kv GROUP BY k
