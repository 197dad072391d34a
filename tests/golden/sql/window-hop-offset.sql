-- HOP with an offset that is negative.
-- input: bids
SELECT window_start, window_end, COUNT(*) AS n, SUM(price) AS total
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND, INTERVAL '-1' SECOND))
GROUP BY window_start, window_end
