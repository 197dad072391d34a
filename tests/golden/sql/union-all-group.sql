-- A group over UNION ALL of plain rows and of groups that change.
-- input: kv
SELECT k, COUNT(*) AS n, SUM(v) AS total FROM (
  SELECT k, v FROM kv
  UNION ALL SELECT k, COUNT(*) AS v FROM kv GROUP BY k
) GROUP BY k
