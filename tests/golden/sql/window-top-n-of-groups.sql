-- Window Top-N of an aggregate, per channel.
-- input: bids
SELECT window_end, channel, auction, total FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, channel ORDER BY total DESC, auction) AS rownum
  FROM (
    SELECT window_start, window_end, channel, auction, SUM(price) AS total
    FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND))
    GROUP BY window_start, window_end, channel, auction
  )
) WHERE rownum = 1
