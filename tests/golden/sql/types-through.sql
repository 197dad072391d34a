-- Every type as it comes and goes.
-- input: people
SELECT * FROM people
