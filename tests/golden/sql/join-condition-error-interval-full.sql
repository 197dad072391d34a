-- An outer join over event times whose condition fails for a pair: an error row, and nobody's NULLs.
CREATE STREAM a (id BIGINT, x BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (id BIGINT, y BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json');
SELECT l.id, l.x, r.id AS other, r.y
FROM a l FULL JOIN b r
ON l.id = r.id AND l.ts BETWEEN r.ts - INTERVAL '5' SECOND AND r.ts + INTERVAL '5' SECOND AND l.x / r.y > 1
/* publishes
@ 00:00:01 a/0
{"id":1,"x":10,"ts":"1970-01-01 00:00:01"}
{"id":2,"x":20,"ts":"1970-01-01 00:00:02"}
{"id":3,"x":30,"ts":"1970-01-01 00:00:03"}
{"id":6,"x":60,"ts":"1970-01-01 00:00:03"}
@ 00:00:02 b/0
{"id":1,"y":2,"ts":"1970-01-01 00:00:01"}
{"id":2,"y":0,"ts":"1970-01-01 00:00:02"}
{"id":4,"y":1,"ts":"1970-01-01 00:00:03"}
{"id":6,"y":0,"ts":"1970-01-01 00:00:03"}
{"id":6,"y":6,"ts":"1970-01-01 00:00:03"}
{"id":6,"y":60,"ts":"1970-01-01 00:00:03"}
@ 00:00:12 a/0
{"id":5,"x":50,"ts":"1970-01-01 00:00:12"}
@ 00:00:13 b/0
{"id":5,"y":5,"ts":"1970-01-01 00:00:12"}
@ 00:00:40 a/0
{"id":9,"x":1,"ts":"1970-01-01 00:00:40"}
@ 00:00:41 b/0
{"id":9,"y":1,"ts":"1970-01-01 00:00:40"}
*/
