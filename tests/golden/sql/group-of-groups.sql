-- An aggregate over an aggregate: how many keys have how many rows.
-- input: kv
SELECT n, COUNT(*) AS keys, SUM(total) AS total
FROM (SELECT k, COUNT(*) AS n, SUM(v) AS total FROM kv GROUP BY k) GROUP BY n
