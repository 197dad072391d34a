-- SESSION by key: gaps of four seconds part them.
-- input: bids
SELECT auction, window_start, window_end, COUNT(*) AS n, SUM(price) AS total
FROM TABLE(SESSION(TABLE bids PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '4' SECOND))
GROUP BY auction, window_start, window_end
