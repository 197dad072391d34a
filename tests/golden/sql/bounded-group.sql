-- A bounded query: groups come out once.
-- option: bounded = true
-- input: bids
SELECT auction, COUNT(*) AS n, MAX(price) AS top FROM bids GROUP BY auction ORDER BY n DESC, auction LIMIT 3
