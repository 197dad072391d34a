-- More string functions.
CREATE STREAM t (s STRING, n INT) WITH ('topic' = 't', 'format' = 'json');
SELECT s, SPLIT_INDEX(s, ',', n) AS a, SUBSTRING(s FROM n) AS b, OVERLAY(s PLACING 'ZZ' FROM 2 FOR 1) AS c,
  TRIM(LEADING 'a' FROM s) AS d, TRIM(TRAILING 'c' FROM s) AS e, TRIM(BOTH 'a' FROM s) AS f, LOCATE('c', s) AS g,
  INSTR(s, 'b') AS h, TO_BASE64(s) AS i, FROM_BASE64(TO_BASE64(s)) AS j, MD5(s) AS k, SHA256(s) AS l, CHR(n + 64) AS m, HEX(s) AS o
FROM t
/* publishes
@ 00:00:01 t/0
{"s":"abc","n":1}
{"s":"a,b,c","n":2}
{"s":"","n":0}
{"s":null,"n":3}
{"s":"aXc","n":null}
*/
