-- IS NULL, COALESCE, NULLIF, IFNULL and comparisons with NULL.
-- input: people
SELECT id, name IS NULL AS a, COALESCE(name, 'nobody') AS b, NULLIF(tiny, 0) AS c, IFNULL(score, 0.0) AS d,
  active IS TRUE AS e, active IS NOT TRUE AS f, active IS UNKNOWN AS g, tiny = CAST(NULL AS INT) AS h,
  num IS DISTINCT FROM big AS i, name IN ('Ann', 'bob') AS j, tiny NOT IN (1, 2) AS k,
  active AND CAST(NULL AS BOOLEAN) AS l, active OR CAST(NULL AS BOOLEAN) AS m FROM people
