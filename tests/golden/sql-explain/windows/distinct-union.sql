SELECT DISTINCT bidder FROM (SELECT bidder FROM bids WHERE part = 0 UNION ALL SELECT bidder FROM clicks)
