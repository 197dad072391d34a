-- BIGINT is exact to 64 bits; what does not fit is an error row.
-- input: people
SELECT id, big, big - 1 AS less, -big AS negated, ABS(big) AS size FROM people
