SELECT window_start, window_end, SUM(price) AS total, AVG(price) AS mean, STDDEV_SAMP(price) AS spread
FROM CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY)
WHERE channel LIKE 'app%' AND price > 10
GROUP BY window_start, window_end
HAVING COUNT(*) > 5
EMIT CHANGES
