-- TUMBLE with an offset: windows begin three seconds past.
-- input: bids
SELECT auction, window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '3' SECOND))
GROUP BY auction, window_start, window_end
