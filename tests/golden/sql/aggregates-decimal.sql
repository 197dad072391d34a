-- Aggregates of DECIMAL are exact.
-- input: kv
SELECT k, SUM(m) AS s, AVG(m) AS a, MIN(m) AS lo, MAX(m) AS hi, COUNT(DISTINCT m) AS n FROM kv GROUP BY k
