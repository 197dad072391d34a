-- EMIT CHANGES over HOP.
-- input: bids
CREATE MATERIALIZED VIEW out AS
SELECT window_start, window_end, COUNT(*) AS n, SUM(price) AS total
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end
EMIT CHANGES
