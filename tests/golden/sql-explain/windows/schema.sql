CREATE STREAM bids (
  auction BIGINT, bidder BIGINT, price DECIMAL(10, 2), channel STRING, ts TIMESTAMP(3),
  local_ts TIMESTAMP_LTZ(3), part INT METADATA FROM 'partition' VIRTUAL, p AS PROCTIME(),
  cents AS CAST(price * 100 AS BIGINT),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('topic' = 'bids-1', 'scan.startup.mode' = 'latest', 'idle-timeout' = '10 s');
CREATE STREAM clicks (
  bidder BIGINT, page STRING, at TIMESTAMP_LTZ(3), WATERMARK FOR at AS at
);
