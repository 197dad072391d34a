-- DISTINCT with FILTER, several of them on one column.
-- input: bids
SELECT channel, COUNT(DISTINCT bidder) AS all_, COUNT(DISTINCT bidder) FILTER (WHERE price > 100) AS dear,
  COUNT(DISTINCT bidder) FILTER (WHERE price <= 100) AS cheap FROM bids GROUP BY channel
