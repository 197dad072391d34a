-- Division by zero is an error row; of doubles it is not.
-- input: people
SELECT id, 10 / num AS a, 10.0 / tiny AS b FROM people
