-- UNION ALL of a stream with itself: each row twice.
-- input: kv
SELECT k, v FROM kv WHERE v > 1 UNION ALL SELECT k, v FROM kv WHERE v < 4
