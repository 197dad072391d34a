-- EMIT CHANGES: open windows show as they grow.
-- input: bids
CREATE MATERIALIZED VIEW out AS
SELECT auction, window_start, window_end, COUNT(*) AS n, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY auction, window_start, window_end
EMIT CHANGES
