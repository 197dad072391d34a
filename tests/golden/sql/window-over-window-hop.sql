-- HOP over the window_time of a TUMBLE.
-- input: bids
CREATE VIEW small AS
SELECT auction, window_time AS rowtime, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND))
GROUP BY auction, window_start, window_end, window_time;
SELECT window_start, window_end, MAX(total) AS top, COUNT(*) AS n
FROM TABLE(HOP(TABLE small, DESCRIPTOR(rowtime), INTERVAL '4' SECOND, INTERVAL '12' SECOND))
GROUP BY window_start, window_end
