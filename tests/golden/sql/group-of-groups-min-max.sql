-- MIN and MAX over an aggregate: what was taken back no longer counts.
-- input: kv
SELECT n > 2 AS many, MIN(total) AS low, MAX(total) AS top, COUNT(*) AS keys
FROM (SELECT k, COUNT(*) AS n, SUM(v) AS total FROM kv GROUP BY k) GROUP BY n > 2
