-- A group over windows that show their changes.
-- input: bids
SELECT auction, COUNT(*) AS windows, SUM(n) AS rows_in FROM (
  SELECT auction, COUNT(*) AS n, window_start, window_end
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
) GROUP BY auction
EMIT CHANGES
