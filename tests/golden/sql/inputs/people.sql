-- Values of every type, among them the greatest and the least, and NULLs.
CREATE STREAM people (
  id BIGINT, name STRING, active BOOLEAN, tiny TINYINT, small SMALLINT, num INT, big BIGINT,
  ratio FLOAT, score DOUBLE, money DECIMAL(20, 4), born DATE, wakes TIME, seen TIMESTAMP(3),
  address ROW<street STRING, city ROW<name STRING, zip INT>>,
  ts TIMESTAMP(3), WATERMARK FOR ts AS ts
) WITH ('topic' = 'people', 'format' = 'json');
/* publishes
@ 00:00:01 people/0
{"id":1,"name":"Ann","active":true,"tiny":127,"small":32767,"num":2147483647,"big":9223372036854775807,"ratio":1.5,"score":0.1,"money":1234567890123456.7891,"born":"2000-02-29","wakes":"06:30:15","seen":"2026-01-01 00:00:00.123","address":{"street":"Elm 1","city":{"name":"Rome","zip":123}},"ts":"2026-01-01 00:00:01.000"}
{"id":2,"name":"bob","active":false,"tiny":-128,"small":-32768,"num":-2147483648,"big":-9223372036854775808,"ratio":-0.25,"score":-2.5,"money":-0.0001,"born":"1969-12-31","wakes":"23:59:59","seen":"1969-12-31 23:59:59.999","address":{"street":null,"city":{"name":"Oslo","zip":null}},"ts":"2026-01-01 00:00:02.000"}
{"id":3,"name":null,"active":null,"tiny":null,"small":null,"num":null,"big":null,"ratio":null,"score":null,"money":null,"born":null,"wakes":null,"seen":null,"address":null,"ts":"2026-01-01 00:00:03.000"}
{"id":4,"name":"Ünïcode ☃ 日本","active":true,"tiny":0,"small":0,"num":0,"big":0,"ratio":0,"score":0,"money":0,"born":"1970-01-01","wakes":"00:00:00","seen":"1970-01-01 00:00:00.000","address":{"street":"Höhe 7","city":null},"ts":"2026-01-01 00:00:04.000"}
@ 00:00:06 people/0
{"id":5,"name":"  pad  ","active":true,"tiny":7,"small":-7,"num":42,"big":9007199254740993,"ratio":3.25,"score":1e10,"money":99.5,"born":"9999-12-31","wakes":"12:00:00","seen":"9999-12-31 23:59:59.999","address":{"street":"a,b","city":{"name":"Lima","zip":7}},"ts":"2026-01-01 00:00:05.000"}
*/
