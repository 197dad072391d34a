-- Nexmark q12 over events of the generator, some of them up to three seconds late.
-- input: nexmark
-- partitions: 2
-- nexmark: 2000 7
SELECT bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM TUMBLE(TABLE (SELECT *, PROCTIME() AS p_time FROM bid), DESCRIPTOR(p_time), INTERVAL '10' SECOND)
GROUP BY bidder, window_start, window_end
