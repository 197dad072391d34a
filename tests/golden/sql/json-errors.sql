-- Records that do not fit their columns are error rows with their reasons.
CREATE STREAM t (id BIGINT, n INT, s STRING, b BOOLEAN, ts TIMESTAMP(3), r ROW<x INT>) WITH ('topic' = 't', 'format' = 'json');
SELECT * FROM t
/* publishes
@ 00:00:01 t/0
{"id":1,"n":2,"s":"x","b":true,"ts":"2026-01-01 00:00:00","r":{"x":1}}
{"id":"12","n":2}
{"id":2,"n":2.5}
{"id":3,"n":2147483648}
{"id":4,"s":5}
{"id":5,"b":"yes"}
{"id":6,"ts":"yesterday"}
{"id":7,"r":[1]}
{"id":8,"r":{"x":"one"}}
{"id":9,"n":1
[1,2]
12
{"id":10,"n":1} trailing
{"id":9223372036854775808}
{"id":11,"id":12}
{"unknown":1}
{"id":13,"ts":1767225600123,"n":1e2}
~ {"value":null}
{"id":14,"r":{"y":1,"x":7}}
{"id":15,"r":{"x":2147483648}}
{"id":16,"r":null}
*/
