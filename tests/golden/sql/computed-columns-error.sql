-- A computed column that fails makes an error row; the others go on.
CREATE STREAM t (id INT, d INT, q AS 100 / d) WITH ('topic' = 't', 'format' = 'json');
SELECT id, q FROM t
/* publishes
@ 00:00:01 t/0
{"id":1,"d":5}
{"id":2,"d":0}
{"id":3,"d":null}
{"id":4,"d":-3}
*/
