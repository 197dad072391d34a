-- A window join whose condition fails for a pair: that is an error row, and the query goes on.
CREATE STREAM a (id BIGINT, x BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'a', 'format' = 'json');
CREATE STREAM b (id BIGINT, y BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('topic' = 'b', 'format' = 'json');
SELECT l.id, l.x, r.id AS other, r.y
FROM (SELECT * FROM TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10' SECOND)) l
FULL JOIN (SELECT * FROM TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '10' SECOND)) r
ON l.id = r.id AND l.x / r.y > 1 AND l.window_start = r.window_start AND l.window_end = r.window_end
/* publishes
@ 00:00:01 a/0
{"id":1,"x":10,"ts":"1970-01-01 00:00:01"}
{"id":2,"x":20,"ts":"1970-01-01 00:00:02"}
{"id":3,"x":30,"ts":"1970-01-01 00:00:03"}
@ 00:00:02 b/0
{"id":1,"y":2,"ts":"1970-01-01 00:00:01"}
{"id":2,"y":0,"ts":"1970-01-01 00:00:02"}
{"id":4,"y":1,"ts":"1970-01-01 00:00:03"}
@ 00:00:12 a/0
{"id":5,"x":50,"ts":"1970-01-01 00:00:12"}
@ 00:00:13 b/0
{"id":5,"y":5,"ts":"1970-01-01 00:00:12"}
@ 00:00:40 a/0
{"id":9,"x":1,"ts":"1970-01-01 00:00:40"}
@ 00:00:41 b/0
{"id":9,"y":1,"ts":"1970-01-01 00:00:40"}
*/
