-- HAVING over a window.
-- input: bids
SELECT auction, window_start, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY auction, window_start, window_end
HAVING COUNT(*) > 1 AND SUM(price) < 2000
