-- Format raw: the value is one column; empty and missing values.
CREATE STREAM lines (line STRING) WITH ('topic' = 'lines', 'format' = 'raw');
SELECT line, CHAR_LENGTH(line) AS n, SPLIT_INDEX(line, ' ', 1) AS word FROM lines
/* publishes
@ 00:00:01 lines/0
hello wide world
ünï cödé
~ {"key":"x"} 
~ {"value":null}
*/
