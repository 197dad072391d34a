-- CUMULATE: windows that grow by a step up to their size.
-- input: bids
SELECT auction, window_start, window_end, COUNT(*) AS n, SUM(price) AS total
FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND))
GROUP BY auction, window_start, window_end
