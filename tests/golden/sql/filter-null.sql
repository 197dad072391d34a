-- WHERE keeps what is true, not what is unknown.
-- input: bids
SELECT auction, price FROM bids WHERE NOT (price > 100) OR auction NOT IN (1, 2, 3)
