-- MIN and MAX of strings, booleans, dates and times.
-- input: people
SELECT MIN(name) AS a, MAX(name) AS z, MIN(born) AS b1, MAX(born) AS b2, MIN(wakes) AS w1, MAX(wakes) AS w2,
  MIN(seen) AS s1, MAX(seen) AS s2, COUNT(DISTINCT active) AS acts FROM people
