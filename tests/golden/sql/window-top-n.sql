-- Window Top-N: two highest bids per window.
-- input: bids
SELECT window_start, window_end, auction, price, rownum FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC) AS rownum
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  WHERE price <> 270
) WHERE rownum <= 2
