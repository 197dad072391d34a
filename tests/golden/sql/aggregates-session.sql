-- All aggregates in sessions: sessions are merged.
-- input: bids
SELECT channel, window_start, window_end, COUNT(*) AS n, AVG(price) AS a, COUNT(DISTINCT bidder) AS bs,
  MIN(price) AS lo, MAX(price) AS hi
FROM TABLE(SESSION(TABLE bids PARTITION BY channel, DESCRIPTOR(ts), INTERVAL '6' SECOND))
GROUP BY channel, window_start, window_end
