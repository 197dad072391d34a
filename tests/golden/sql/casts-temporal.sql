-- Times to dates and back.
-- input: people
SELECT id, CAST(seen AS DATE) AS a, CAST(seen AS TIME) AS b, CAST(born AS TIMESTAMP(3)) AS c,
  CAST('2026-05-06' AS DATE) AS d, CAST('2026-05-06 07:08:09.123' AS TIMESTAMP(3)) AS e FROM people
