-- A bounded query: aggregates over no row are a row, groups of no row are none.
-- option: bounded = true
-- input: bids
SELECT COUNT(*) AS n, COUNT(DISTINCT auction) AS d, SUM(price) AS s, MAX(price) AS top, AVG(price) AS a
FROM bids WHERE auction < 0
