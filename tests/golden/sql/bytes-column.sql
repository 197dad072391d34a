-- BYTES are base64 in JSON.
CREATE STREAM t (b BYTES) WITH ('topic' = 't', 'format' = 'json');
SELECT b, DECODE(b, 'UTF-8') AS s FROM t
/* publishes
@ 00:00:01 t/0
{"b":"aGVsbG8="}
{"b":""}
{"b":null}
{"b":"***"}
*/
