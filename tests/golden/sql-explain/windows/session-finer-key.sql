SELECT auction, bidder, COUNT(*) AS n, window_start
FROM SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY auction, bidder, window_start, window_end
