-- A ROW that is read whole is in error where one of its fields does not fit, at any depth; what the
-- type does not name is not looked at.
CREATE STREAM t (id BIGINT, r ROW<n ROW<a INT, b BOOLEAN>, at TIMESTAMP(3), s STRING>) WITH ('topic' = 't', 'format' = 'json');
SELECT id, r, r.n.a FROM t
/* publishes
@ 00:00:01 t/0
{"id":1,"r":{"n":{"a":1,"b":true},"at":"2026-01-01 00:00:00","s":"x"}}
{"id":2,"r":{"n":{"a":"one"}}}
{"id":3,"r":{"n":{"a":3,"b":"yes"}}}
{"id":4,"r":{"n":[4]}}
{"id":5,"r":{"at":"yesterday"}}
{"id":6,"r":{}}
{"id":7,"r":{"n":null,"s":null}}
{"id":8,"r":{"n":{"a":8},"other":[true]}}
*/
