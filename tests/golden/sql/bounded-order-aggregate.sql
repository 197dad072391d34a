-- A bounded query: ORDER BY aggregates that are not selected.
-- option: bounded = true
-- input: bids
SELECT auction FROM bids GROUP BY auction ORDER BY COUNT(*) DESC, MAX(price) DESC, auction LIMIT 4
