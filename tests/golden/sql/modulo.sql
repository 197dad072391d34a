-- MOD and % have the sign of the dividend.
-- input: kv
SELECT v, MOD(v, 3) AS a, v % 2 AS b, MOD(-v, 3) AS c FROM kv WHERE v IS NOT NULL
