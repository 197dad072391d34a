-- A group over windows that are final: only added to.
-- input: bids
SELECT auction, COUNT(*) AS windows, MAX(n) AS busiest FROM (
  SELECT auction, COUNT(*) AS n
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
) GROUP BY auction
