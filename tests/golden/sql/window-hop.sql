-- HOP: windows that overlap, some of them with a single row, and a gap without rows.
-- input: bids
SELECT auction, window_start, window_end, COUNT(*) AS n, MIN(price) AS low
FROM HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end
