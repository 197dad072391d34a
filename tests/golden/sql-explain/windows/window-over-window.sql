WITH minutes AS (
  SELECT auction, COUNT(*) AS n, window_start, window_end, window_time AS t
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
  GROUP BY auction, window_start, window_end, window_time
)
SELECT MAX(n) AS busiest, window_end
FROM TUMBLE(TABLE minutes, DESCRIPTOR(t), INTERVAL '1' HOUR)
GROUP BY window_start, window_end
