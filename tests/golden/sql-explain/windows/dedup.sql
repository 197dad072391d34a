SELECT auction, bidder, window_end FROM (
  SELECT auction, bidder, window_start, window_end,
    ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY ts) AS n
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
) WHERE n = 1 AND bidder > 7
