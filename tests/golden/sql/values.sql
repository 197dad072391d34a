-- VALUES as a table.
SELECT a, b, a * 2 AS c FROM (VALUES (1, 'x'), (2, 'y'), (3, 'z')) AS t (a, b) WHERE a > 1
