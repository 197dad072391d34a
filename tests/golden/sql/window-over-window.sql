-- A window over a window: sums of sums by window_time.
-- input: bids
CREATE VIEW small AS
SELECT auction, window_start AS w_start, window_end AS w_end, window_time AS rowtime, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY auction, window_start, window_end, window_time;
SELECT window_start, window_end, SUM(total) AS total, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE small, DESCRIPTOR(rowtime), INTERVAL '10' SECOND))
GROUP BY window_start, window_end
