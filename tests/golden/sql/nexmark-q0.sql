-- Nexmark q0 over events of the generator, some of them up to three seconds late.
-- input: nexmark
-- partitions: 2
-- nexmark: 2000 7
SELECT auction, bidder, price, `dateTime`, extra FROM bid
