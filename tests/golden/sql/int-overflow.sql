-- INT, SMALLINT and TINYINT stay what they are: arithmetic of INT wraps nowhere.
-- input: people
SELECT id, num + 1 AS a FROM people WHERE id <> 3
