-- NULLs come first ascending, last descending, or as told.
-- option: bounded = true
-- input: kv
SELECT k, v, d FROM kv ORDER BY k, v DESC NULLS FIRST, d
