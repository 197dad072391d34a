-- Two keys, one of them computed.
-- input: bids
SELECT auction, price > 100 AS dear, COUNT(*) AS n FROM bids GROUP BY auction, price > 100
