-- APPROX_COUNT_DISTINCT of few values is exact.
-- input: bids
SELECT auction, window_start, APPROX_COUNT_DISTINCT(bidder) AS bidders
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND))
GROUP BY auction, window_start, window_end
