-- The tumble count by auction over Nexmark events.
-- input: nexmark
-- partitions: 2
-- nexmark: 2000 7
SELECT auction, COUNT(*) AS num, window_start, window_end
FROM TUMBLE(bid, `dateTime`, INTERVAL '10 seconds')
GROUP BY auction, window_start, window_end
