-- A key that is named twice is one key.
-- input: kv
CREATE MATERIALIZED VIEW out AS SELECT (k || k) AS c0, (k || k) AS c1, COUNT(k) AS c2 FROM kv GROUP BY (k || k), (k || k)
