-- Bids of two partitions, out of order by less than the delay; some without a bidder or a price.
CREATE STREAM bids (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('topic' = 'bids', 'format' = 'json');
/* publishes
@ 00:00:02 bids/0
{"auction":1,"bidder":10,"price":100,"channel":"Google","ts":"2026-01-01 00:00:01.000"}
{"auction":2,"bidder":11,"price":250,"channel":"Apple","ts":"2026-01-01 00:00:00.500"}
{"auction":1,"bidder":12,"price":120,"channel":"google","ts":"2026-01-01 00:00:01.999"}
@ 00:00:03 bids/1
{"auction":3,"bidder":10,"price":7,"channel":null,"ts":"2026-01-01 00:00:02.000"}
{"auction":2,"bidder":null,"price":300,"channel":"channel-7","ts":"2026-01-01 00:00:02.000"}
@ 00:00:07 bids/0
{"auction":1,"bidder":11,"price":110,"channel":"Google","ts":"2026-01-01 00:00:06.250"}
{"auction":3,"bidder":12,"price":null,"channel":"Apple","ts":"2026-01-01 00:00:04.000"}
{"auction":null,"bidder":13,"price":55,"channel":"Baidu","ts":"2026-01-01 00:00:05.000"}
@ 00:00:08 bids/1
{"auction":2,"bidder":13,"price":260,"channel":"Apple","ts":"2026-01-01 00:00:07.100"}
{"auction":2,"bidder":10,"price":270,"channel":"Google","ts":"2026-01-01 00:00:06.900"}
@ 00:00:12 bids/0
{"auction":1,"bidder":10,"price":130,"channel":"Facebook","ts":"2026-01-01 00:00:10.000"}
{"auction":1,"bidder":14,"price":90,"channel":"Google","ts":"2026-01-01 00:00:09.999"}
{"auction":4,"bidder":14,"price":1,"channel":"","ts":"2026-01-01 00:00:11.400"}
@ 00:00:13 bids/1
{"auction":3,"bidder":11,"price":9,"channel":"Apple","ts":"2026-01-01 00:00:12.000"}
{"auction":2,"bidder":12,"price":270,"channel":"Baidu","ts":"2026-01-01 00:00:08.500"}
@ 00:00:21 bids/0
{"auction":1,"bidder":13,"price":140,"channel":"Apple","ts":"2026-01-01 00:00:20.000"}
{"auction":null,"bidder":null,"price":60,"channel":"Google","ts":"2026-01-01 00:00:19.000"}
+ bids/1
{"auction":3,"bidder":10,"price":11,"channel":"Google","ts":"2026-01-01 00:00:20.500"}
@ 00:00:46 bids/0
{"auction":5,"bidder":15,"price":500,"channel":"Apple","ts":"2026-01-01 00:00:45.000"}
{"auction":1,"bidder":10,"price":150,"channel":"Google","ts":"2026-01-01 00:00:43.000"}
@ 00:00:47 bids/1
{"auction":5,"bidder":11,"price":510,"channel":"Google","ts":"2026-01-01 00:00:46.000"}
*/
