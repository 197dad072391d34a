SELECT L.auction, R.bidder, COALESCE(R.n, 0) AS n, L.window_start
FROM (SELECT * FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)) L
LEFT JOIN (
  SELECT bidder, COUNT(*) AS n, window_start, window_end
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)
  GROUP BY bidder, window_start, window_end
) R ON L.bidder = R.bidder AND L.window_start = R.window_start AND L.window_end = R.window_end
