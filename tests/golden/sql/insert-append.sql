-- INSERT of some columns: the others are NULL; numbers are widened.
-- input: kv
CREATE STREAM copy (v DOUBLE, k STRING, note STRING) WITH ('topic' = 'copy', 'format' = 'json');
INSERT INTO copy (k, v) SELECT k, v FROM kv WHERE v IS NOT NULL
