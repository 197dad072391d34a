-- SELECT DISTINCT.
-- input: bids
SELECT DISTINCT auction, channel FROM bids WHERE price >= 100
