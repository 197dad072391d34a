-- FLOAT and DOUBLE: arithmetic, infinite results, exponents.
-- input: people
SELECT id, ratio * 2 AS a, score / 3 AS b, score * 1e300 * 1e10 AS c, CAST(score AS FLOAT) AS d, CAST(ratio AS STRING) AS e,
  CAST(score AS INT) AS f, ratio + score AS g FROM people
