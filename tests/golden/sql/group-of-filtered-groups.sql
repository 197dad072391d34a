-- A filter between two aggregates: rows enter and leave.
-- input: kv
SELECT COUNT(*) AS keys, SUM(total) AS total FROM (
  SELECT k, COUNT(*) AS n, SUM(v) AS total FROM kv GROUP BY k
) WHERE n >= 2 AND total IS NOT NULL
