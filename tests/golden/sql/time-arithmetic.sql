-- Intervals of months and days, differences of times.
-- input: people
SELECT id, born + INTERVAL '1' MONTH AS a, born - INTERVAL '1' YEAR AS b, TIMESTAMPADD(DAY, 3, seen) AS c,
  TIMESTAMPDIFF(HOUR, TIMESTAMP '1970-01-01 00:00:00', seen) AS d, TIMESTAMPDIFF(MONTH, born, DATE '2026-01-01') AS e,
  seen + INTERVAL '1' HOUR > seen AS f, TO_DATE('2026-02-03') AS g, TO_TIMESTAMP('2026-02-03 04:05:06') AS h FROM people WHERE id < 5
