-- TUMBLE without GROUP BY, filtered by a window column.
-- input: bids
SELECT auction, price, window_end FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
WHERE window_end < TIMESTAMP '2026-01-01 00:00:30' AND price > 100
