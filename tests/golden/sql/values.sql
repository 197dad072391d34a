-- VALUES as a table.
SELECT a, b, a * 2 AS c FROM (VALUES (1, 'x'), (2, 'y'), (3, NULL)) AS t (a, b) WHERE a > 1
