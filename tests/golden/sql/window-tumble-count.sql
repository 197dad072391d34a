-- TUMBLE: counts by auction, NULL being a key like others.
-- input: bids
SELECT auction, COUNT(*) AS n, SUM(price) AS total, window_start, window_end
FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end
