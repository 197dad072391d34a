-- Interval join of a stream with itself: bids that were raised within five seconds.
-- input: bids
SELECT a.auction, a.price AS was, b.price AS now
FROM bids a JOIN bids b
ON a.auction = b.auction AND b.ts BETWEEN a.ts + INTERVAL '0.001' SECOND AND a.ts + INTERVAL '5' SECOND
WHERE b.price > a.price
