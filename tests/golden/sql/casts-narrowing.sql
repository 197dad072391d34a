-- What does not fit is an error row.
-- input: people
SELECT id, CAST(num AS SMALLINT) AS a FROM people
