-- SESSION by two keys, one of them NULL at times.
-- input: bids
SELECT auction, channel, window_start, window_end, COUNT(*) AS n, MAX(price) AS top
FROM TABLE(SESSION(TABLE bids PARTITION BY (auction, channel), DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY auction, channel, window_start, window_end
