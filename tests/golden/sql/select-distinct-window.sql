-- SELECT DISTINCT with windows.
-- input: bids
SELECT DISTINCT auction, window_start, window_end
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
