-- An aggregate by the windows that its input brings: the greatest count of each window.
-- input: bids
SELECT window_start, window_end, MAX(n) AS top, COUNT(*) AS auctions
FROM (
  SELECT auction, window_start, window_end, COUNT(*) AS n
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
)
GROUP BY window_start, window_end
