-- FILTER on every aggregate.
-- input: kv
SELECT k, COUNT(*) FILTER (WHERE v > 2) AS n, SUM(v) FILTER (WHERE v < 0) AS neg,
  MAX(d) FILTER (WHERE v IS NOT NULL) AS top, AVG(d) FILTER (WHERE d > 1) AS mean FROM kv GROUP BY k
