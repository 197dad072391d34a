-- METADATA columns: where a record stood, its key, time and headers.
CREATE STREAM t (
  v INT, `topic` STRING METADATA VIRTUAL, `partition` INT METADATA VIRTUAL,
  off BIGINT METADATA FROM 'offset' VIRTUAL, at_ TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  k STRING METADATA FROM 'key'
) WITH ('topic' = 't', 'format' = 'json');
SELECT v, `topic`, `partition`, off, at_, k FROM t
/* publishes
@ 00:00:01 t/0
~ {"key":"one","timestamp":1767225600123} {"v":1}
{"v":2}
+ t/1
~ {"key":""} {"v":3}
@ 00:00:02 t/0
~ {"key":"ключ","timestamp":0} {"v":4}
*/
