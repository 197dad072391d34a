-- A subquery in FROM, with an alias for its columns.
-- input: bids
SELECT s.a, s.p + 1 AS p FROM (SELECT auction, price FROM bids WHERE auction IS NOT NULL) AS s (a, p) WHERE s.p BETWEEN 100 AND 260
