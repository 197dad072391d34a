-- MIN, MAX and COUNT at the edges of BIGINT; SUM of both ends is exact.
-- input: people
SELECT MIN(big) AS lo, MAX(big) AS hi, SUM(big) AS s, COUNT(big) AS n, MIN(num) AS nlo, SUM(num) AS sn,
  SUM(tiny) AS st, AVG(tiny) AS tm, AVG(small) AS sa FROM people WHERE id < 3
