-- Everything as a string.
-- input: people
SELECT id, CAST(active AS STRING) AS a, CAST(big AS STRING) AS b, CAST(score AS STRING) AS c, CAST(born AS STRING) AS d,
  CAST(wakes AS STRING) AS e, CAST(seen AS STRING) AS f, CAST(id AS VARCHAR(3)) AS g FROM people
