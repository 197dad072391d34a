-- Views over views, one with names of its own.
-- input: bids
CREATE VIEW dear (item, amount, at_) AS SELECT auction, price, ts FROM bids WHERE price >= 100;
CREATE VIEW dearest AS SELECT item, amount * 2 AS twice, at_ FROM dear WHERE amount > 250;
SELECT item, twice FROM dearest
