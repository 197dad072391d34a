-- A bounded query: ORDER BY columns and expressions that are not selected.
-- option: bounded = true
-- input: bids
SELECT auction FROM bids WHERE price IS NOT NULL ORDER BY price * -1, ts LIMIT 5
