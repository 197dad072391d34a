SELECT a.auction, b.auction AS other FROM bids a, bids b
WHERE a.bidder = b.bidder AND a.price > 5 AND a.price < b.price
  AND a.ts > b.ts - INTERVAL '1' MINUTE AND a.ts <= b.ts + INTERVAL '30' SECOND
