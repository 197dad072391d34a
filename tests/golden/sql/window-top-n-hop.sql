-- Top-N over HOP windows, bounds BETWEEN.
-- input: bids
SELECT window_start, auction, price, rownum FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC, auction, ts) AS rownum
  FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND))
  WHERE price IS NOT NULL AND auction IS NOT NULL
) WHERE rownum BETWEEN 2 AND 3
