-- A bounded query: ORDER BY and LIMIT.
-- option: bounded = true
-- input: bids
SELECT auction, price FROM bids WHERE price IS NOT NULL ORDER BY price DESC, auction LIMIT 4 OFFSET 1
