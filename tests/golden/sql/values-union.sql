-- VALUES beside a stream.
-- input: kv
SELECT k, v FROM kv WHERE v = 6 UNION ALL SELECT * FROM (VALUES ('z', 26))
