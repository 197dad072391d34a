-- A filter that fails makes an error row.
-- input: kv
SELECT k, v FROM kv WHERE 12 / (v - 3) > 0
