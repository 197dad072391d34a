SELECT L.auction, L.bidder, L.window_start
FROM (SELECT * FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)) L
WHERE L.price > 1 AND L.bidder NOT IN (
  SELECT R.bidder
  FROM (SELECT * FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)) R
  WHERE R.cents > 5 AND L.auction = R.auction
    AND L.window_start = R.window_start AND L.window_end = R.window_end)
