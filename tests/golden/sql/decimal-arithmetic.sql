-- DECIMAL arithmetic is exact, its scale as in Flink.
-- input: people
SELECT id, money + 0.0001 AS a, money * 2 AS b, money / 3 AS c, -money AS d, ROUND(money, 2) AS e, money > 0 AS f,
  CAST(money AS DECIMAL(18, 2)) AS g, CAST(money AS BIGINT) AS h, CAST(money AS STRING) AS i, money - tiny AS j FROM people
