-- Parts of times, and time arithmetic.
-- input: people
SELECT id, EXTRACT(YEAR FROM seen) AS y, EXTRACT(MONTH FROM seen) AS m, EXTRACT(DAY FROM seen) AS d, HOUR(seen) AS h, MINUTE(seen) AS mi,
  SECOND(seen) AS s, DAYOFWEEK(born) AS dw, DAYOFYEAR(born) AS dy, QUARTER(born) AS q, WEEK(born) AS w, DATE_FORMAT(seen, 'yyyy/MM/dd HH:mm:ss') AS f,
  seen - INTERVAL '1' DAY AS a, FLOOR(seen TO HOUR) AS b, CEIL(seen TO MINUTE) AS c FROM people WHERE id < 5
