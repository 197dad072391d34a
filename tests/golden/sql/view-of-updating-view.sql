-- A view over an updating one: what a record replaces or ends is taken back, whatever comes in one publish.
CREATE STREAM bids (item STRING, price INT) WITH ('topic' = 'bids', 'format' = 'json');
CREATE MATERIALIZED VIEW totals AS SELECT item, SUM(price) AS total, COUNT(*) AS n FROM bids GROUP BY item;
SELECT n, SUM(total) AS total, COUNT(*) AS items, MIN(total) AS least FROM totals GROUP BY n
/* publishes
@ 00:00:01 totals/0
~ {"key":"{\"item\":\"a\"}"} {"item":"a","total":1,"n":1}
~ {"key":"{\"item\":\"b\"}"} {"item":"b","total":2,"n":1}
@ 00:00:02 totals/0
~ {"key":"{\"item\":\"a\"}"} {"item":"a","total":5,"n":2}
~ {"key":"{\"item\":\"c\"}"} {"item":"c","total":8,"n":1}
~ {"key":"{\"item\":\"c\"}"} {"item":"c","total":16,"n":2}
@ 00:00:03 totals/0
~ {"key":"{\"item\":\"b\"}","value":null}
~ {"key":"{\"item\":\"d\"}"} {"item":"d","total":32,"n":3}
~ {"key":"{\"item\":\"d\"}","value":null}
~ {"key":"{\"item\":\"e\"}"} {"item":"e","total":"x","n":3}
@ 00:00:04 totals/0
~ {"key":"{\"item\":\"a\"}","value":null}
~ {"key":"{\"item\":\"a\"}"} {"item":"a","total":64,"n":2}
~ {"key":"{\"item\":\"f\"}","value":null}
*/
