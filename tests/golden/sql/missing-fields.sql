-- Fields that are missing are NULL; NOT NULL columns make error rows.
CREATE STREAM t (id BIGINT NOT NULL, s STRING) WITH ('topic' = 't', 'format' = 'json');
SELECT id, s FROM t
/* publishes
@ 00:00:01 t/0
{"id":1}
{"s":"x"}
{}
{"id":null,"s":"y"}
{"id":2,"s":null}
*/
