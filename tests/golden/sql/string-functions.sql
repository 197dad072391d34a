-- String functions over plain and wide characters.
-- input: people
SELECT id, UPPER(name) AS a, LOWER(name) AS b, CHAR_LENGTH(name) AS c, SUBSTRING(name, 2, 3) AS d, TRIM(name) AS e,
  LPAD(name, 7, '*') AS f, RPAD(name, 7, '*') AS g, REPLACE(name, 'n', 'N') AS h, REVERSE(name) AS i, POSITION('n' IN name) AS j,
  name || '!' AS k, CONCAT(name, '-', 'x') AS l, CONCAT_WS(',', name, 'y') AS m, LEFT(name, 2) AS n, RIGHT(name, 2) AS o,
  INITCAP(name) AS p, REPEAT(name, 2) AS q, ASCII(name) AS r, LTRIM(name) AS s, RTRIM(name) AS t FROM people
