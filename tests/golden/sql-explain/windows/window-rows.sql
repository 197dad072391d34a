SELECT auction, window_start, cents FROM HOP(bids, ts, INTERVAL '5 minutes', INTERVAL '10 minutes') WHERE cents > 5 AND auction <> 3
