-- Format raw with JSON functions over the text.
CREATE STREAM lines (line STRING) WITH ('topic' = 'lines', 'format' = 'raw');
SELECT JSON_VALUE(line, '$.a') AS a, JSON_VALUE(line, '$.b[1]') AS b, JSON_EXISTS(line, '$.c') AS c, line IS JSON AS ok
FROM lines WHERE line IS JSON
/* publishes
@ 00:00:01 lines/0
{"a":1,"b":[1,"two"],"c":null}
not json
{"a":"x"}
[]
*/
