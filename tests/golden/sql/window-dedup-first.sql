-- Window deduplication: each bidder's first bid of a window.
-- input: bids
SELECT window_start, bidder, price, ts FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, bidder ORDER BY ts ASC) AS rownum
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND))
) WHERE rownum <= 1
