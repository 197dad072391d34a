-- Nexmark q22 over events of the generator, some of them up to three seconds late.
-- input: nexmark
-- partitions: 2
-- nexmark: 2000 7
SELECT auction, bidder, price, channel,
  SPLIT_INDEX(url, '/', 3) AS dir1,
  SPLIT_INDEX(url, '/', 4) AS dir2,
  SPLIT_INDEX(url, '/', 5) AS dir3
FROM bid
