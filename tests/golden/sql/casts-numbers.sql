-- Numbers to numbers: rounding, narrowing, booleans.
-- input: people
SELECT id, CAST(score AS DECIMAL(12, 1)) AS a, CAST(ratio AS INT) AS b, CAST(tiny AS DOUBLE) AS c,
  CAST(active AS INT) AS d, CAST(tiny AS BOOLEAN) AS e, CAST(small AS BIGINT) AS f FROM people
