-- DISTINCT in aggregates.
-- input: kv
SELECT k, COUNT(DISTINCT v) AS n, SUM(DISTINCT v) AS s, AVG(DISTINCT d) AS a FROM kv GROUP BY k
