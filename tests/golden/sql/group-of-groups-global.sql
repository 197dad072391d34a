-- One row over an aggregate that changes.
-- input: kv
SELECT COUNT(*) AS keys, SUM(n) AS n, AVG(total) AS mean, MAX(total) AS top, MIN(total) AS low
FROM (SELECT k, COUNT(*) AS n, SUM(v) AS total FROM kv GROUP BY k)
