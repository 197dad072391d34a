-- TUMBLE without TABLE and DESCRIPTOR, the interval as one string.
-- input: bids
SELECT window_start, window_end, COUNT(*) AS n, MAX(price) AS top
FROM TUMBLE(bids, ts, INTERVAL '10 seconds')
GROUP BY window_start, window_end
