-- Sums of BIGINT that do not fit.
-- input: people
SELECT id, big + 1 AS more FROM people
