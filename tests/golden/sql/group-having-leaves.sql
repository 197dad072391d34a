-- HAVING: a group that no longer holds is taken back.
-- input: kv
SELECT k, SUM(v) AS total, COUNT(*) AS n FROM kv GROUP BY k HAVING COUNT(*) = 2
