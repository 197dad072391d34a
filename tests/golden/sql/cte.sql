-- Common table expressions, one over another.
-- input: bids
WITH dear AS (SELECT * FROM bids WHERE price > 100), by_auction AS (
  SELECT auction, COUNT(*) AS n FROM dear GROUP BY auction
)
SELECT auction, n FROM by_auction WHERE n > 1
