-- DISTINCT over an aggregate that changes.
-- input: kv
SELECT COUNT(DISTINCT n) AS sizes, SUM(DISTINCT n) AS total
FROM (SELECT k, COUNT(*) AS n FROM kv GROUP BY k)
