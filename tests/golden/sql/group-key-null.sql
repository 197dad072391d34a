-- Keys that are NULL in one or both columns.
-- input: bids
SELECT auction, bidder, COUNT(*) AS n FROM bids
WHERE auction IS NULL OR bidder IS NULL OR auction = 4 GROUP BY auction, bidder
