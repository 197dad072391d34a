-- HAVING: groups come and go with it.
-- input: kv
SELECT k, SUM(v) AS total FROM kv GROUP BY k HAVING SUM(v) > 2
