-- A ROW column as a whole.
-- input: people
SELECT id, address FROM people
