-- GROUP BY without windows: the state folded by key.
-- input: bids
SELECT auction, COUNT(*) AS n, SUM(price) AS total FROM bids GROUP BY auction
