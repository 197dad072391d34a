-- EMIT PERIODIC: changes come out when a period of publishedAt is over.
-- input: bids
CREATE MATERIALIZED VIEW out AS
SELECT auction, window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND))
GROUP BY auction, window_start, window_end
EMIT PERIODIC INTERVAL '5' SECOND
