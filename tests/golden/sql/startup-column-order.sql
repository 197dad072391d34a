-- Quoted names, reserved words and case.
CREATE STREAM `select` (`from` INT, "group" STRING, `Ünï` INT) WITH ('topic' = 't', 'format' = 'json');
SELECT `from` AS `where`, "group", `Ünï` + 1 AS "a b" FROM `select`
/* publishes
@ 00:00:01 t/0
{"from":1,"group":"g","Ünï":2}
*/
