-- Each aggregate over numbers with NULLs.
-- input: kv
SELECT k, COUNT(*) AS n, COUNT(d) AS ds, SUM(d) AS s, AVG(d) AS a, MIN(d) AS lo, MAX(d) AS hi,
  SUM(v) AS sv, AVG(v) AS av, MIN(v) AS lov, MAX(v) AS hiv FROM kv GROUP BY k
