-- An aggregate without GROUP BY is one row.
-- input: kv
SELECT COUNT(*) AS n, COUNT(v) AS vs, SUM(v) AS total, MIN(k) AS first_key, MAX(d) AS top FROM kv
